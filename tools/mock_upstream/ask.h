// Ask: what a caller wants, read from the request's path, headers and JSON body, in any dialect. A
// plain value, made once per request. Reading also refuses what the vendor itself would refuse.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "mock_upstream/dialect.h"
#include "mock_upstream/fields.h"
#include "mock_upstream/script.h"

namespace deeppool::mock {

struct Tool {
  std::string name;
  std::string schema;  // of its arguments, as JSON; empty if it has none
};

struct Ask {
  Dialect dialect = Dialect::openai;
  Route route = Route::unknown;
  std::string model;
  Script script;
  bool stream = false;
  bool include_usage = false;
  int64_t max_tokens = -1;       // -1: not given
  int64_t prompt_tokens = 0;     // words of all messages or inputs: the mock's own tokenizer
  int64_t images = 0;            // image parts of all messages
  std::string last_text;         // of the last message
  std::string answered;          // an assistant's last message that is to be gone on with
  bool wants_json = false;       // an object, of this schema if there is one
  std::string schema;            // as JSON
  std::vector<Tool> tools;       // functions offered
  std::string forced_tool;       // the one function that must be called
  bool has_tool_result = false;  // the last turn brings results of tools: answer in words
  size_t inputs = 1;             // of an embeddings request
  int64_t dimensions = -1;
  bool base64 = false;
};

// Errors: what the vendor would say, with its status as ErrorCode: invalid_request,
// unauthenticated, permission_denied, not_found.
Result<Ask> read_ask(const http::RequestHead& head, std::string_view body);

// The dialects' part of it: everything but the script.
Result<void> read_openai(const bj::object& body, Ask& ask);
Result<void> read_anthropic(const http::RequestHead& head, const bj::object& body, Ask& ask);
Result<void> read_gemini(const http::RequestHead& head, const bj::object& body, Ask& ask);

// A text of the prompt: its words count, and it is the last so far.
void take_text(std::string_view text, Ask& ask);
// White-space separated words: what the mock bills.
int64_t count_words(std::string_view text);

// What vendors sign thoughts with: a function of the thought alone, so that a replayed one can be
// checked without a memory. Base64.
std::string signature_of(std::string_view thought);

}  // namespace deeppool::mock
