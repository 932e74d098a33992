// Content: what an answer says, apart from how it is framed; and the JSON texts of the OpenAI API
// around it. One piece is one streamed chunk and one billed completion token, so that the usage of
// every answer can be worked out from the request alone. Plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mock_upstream/ask.h"

namespace deeppool::mock {

struct Content {
  int64_t words = 0;                // "w1 w2 ..." when there are neither texts nor deltas
  std::vector<std::string> texts;   // pieces of the text
  std::vector<std::string> deltas;  // chat only: whole delta objects
  std::string message;              // with deltas: the message object of an unstreamed answer
  std::string_view finish = "stop";
  int64_t reasoning = 0;  // pieces that are reasoning

  int64_t pieces() const;
  void append_text(std::string& out, int64_t piece) const;  // JSON-escaped, without quotes
  std::string text() const;                                 // all of it, JSON-escaped
};

// Words: as many as the script's `tokens` (or `chunks`) says, or max_tokens, or the default; never
// more than max_tokens, which then is the finish reason.
Content word_content(const Ask& ask);
// A text cut into pieces of `piece_bytes` (whole UTF-8 characters), each billed as one token.
Content text_content(std::string_view text, size_t piece_bytes);

struct Usage {
  int64_t prompt = 0;
  int64_t completion = 0;
  int64_t reasoning = 0;
};
std::string usage_json(const Usage& usage);

// What all chunks of an answer share.
struct Identity {
  Route route = Route::chat;
  std::string id;
  std::string model;
  int64_t created = 0;  // Unix seconds
};
// `{"id":...,"choices":` and the object's name for a chunk or a whole answer.
std::string chunk_prefix(const Identity& identity);
std::string whole_answer(const Identity& identity, const Content& content, std::string_view usage);

std::string embeddings_answer(const Ask& ask);
std::string models_answer();

struct ApiError {
  std::string_view message;
  std::string_view type;
  std::string_view code;   // empty: null
  std::string_view param;  // empty: null
};
std::string error_json(const ApiError& error);

}  // namespace deeppool::mock
