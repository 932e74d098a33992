// Ask: what a caller wants, read from the request's path, headers and JSON body. A plain value,
// made once per request; text that only rare behaviours need is taken from the body when they run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/codec/message.h"
#include "mock_upstream/script.h"

namespace deeppool::mock {

enum class Route { chat, completions, embeddings, models, stats, unknown };

struct Ask {
  Route route = Route::unknown;
  std::string model;
  Script script;
  bool stream = false;
  bool include_usage = false;
  int64_t max_tokens = -1;      // -1: not given
  int64_t prompt_tokens = 0;    // words of all messages or inputs: the mock's own tokenizer
  int64_t images = 0;           // image parts of all messages
  std::string last_text;        // of the last message
  std::string response_format;  // "", json_object, json_schema
  std::string schema_name;
  std::vector<std::string> tools;  // names of the functions offered
  bool has_tool_result = false;    // a message of role tool came: answer in words
  size_t inputs = 1;               // of an embeddings request
  int64_t dimensions = -1;
  bool base64 = false;
};

// `/v1` and a query are optional. Methods: POST, except GET for models and stats.
Route route_of(const http::RequestHead& head);

// Errors: invalid_request as a provider would say it, with `param`.
Result<Ask> read_ask(const http::RequestHead& head, std::string_view body);

// White-space separated words: what the mock bills.
int64_t count_words(std::string_view text);

}  // namespace deeppool::mock
