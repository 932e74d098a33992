// Dialect: whose API is spoken. What depends on it alone: which paths it has and how it words an
// error. Plain values and pure functions.
#pragma once

#include <string>
#include <string_view>

#include "http/codec/message.h"

namespace deeppool::mock {

enum class Dialect { openai, anthropic, gemini };

enum class Route { chat, completions, embeddings, models, count_tokens, stats, unknown };

// What a request line asks for. Gemini names its model and whether it streams in the path.
struct Place {
  Dialect dialect = Dialect::openai;
  Route route = Route::unknown;
  std::string model = {};
  bool stream = false;
};

// `/v1`, `/v1beta` or `/anthropic` before the path and a query behind it are optional. Methods:
// POST, except GET for models and stats. `GET models` is in the dialect of the key's header.
Place place_of(const http::RequestHead& head);

// An error in OpenAI's words; the other dialects have a word of their own for each status.
struct ApiError {
  std::string_view message;
  std::string_view type;
  std::string_view code;   // empty: null
  std::string_view param;  // empty: null
};
std::string error_json(Dialect dialect, int status, const ApiError& error);

}  // namespace deeppool::mock
