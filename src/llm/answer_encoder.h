// AnswerEncoder: puts house answers (OpenAI's chat completions) into the protocol that the caller
// speaks. One per answer, on its loop. The pipeline feeds it what a chat caller would have been
// sent, after `model` and `usage` were rewritten; usage is always asked for. Null where a pointer
// to one is expected: the caller speaks the house dialect.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "json/padded.h"

namespace deeppool::llm {

// What became of a failed call, in OpenAI's words; each protocol has its own for them.
struct ErrorText {
  int status = 500;          // HTTP, as it is or would have been answered
  std::string_view message;  // for the caller
  std::string_view type;     // OpenAI's
  std::string_view code;     // OpenAI's
  std::string_view param;    // empty: none
  std::string_view request_id;
};

class AnswerEncoder {
 public:
  virtual ~AnswerEncoder() = default;

  // Of a stream. `out` is appended to; it is complete SSE text. `house_json` is one chunk (valid
  // JSON, json::kPadding bytes behind it).
  virtual void chunk(std::string_view house_json, std::string& out) = 0;
  // Behind the last chunk, the one with usage included: what stands where a chat has [DONE].
  virtual void end(std::string& out) = 0;
  // In the place of an end.
  virtual void error(const ErrorText& error, std::string& out) = 0;

  // A whole answer. Errors: internal, for what is no chat completion.
  virtual Result<std::string> whole(const json::PaddedBytes& house_answer) = 0;
};

}  // namespace deeppool::llm
