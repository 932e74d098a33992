// The top-level request fields that we know, per API, and what each may hold: data, not code.
// Read by request_parser.cc only. Source: OpenAI's API specification of 2026-08-21 and the SDK
// types of openai 7.57; enable_thinking is Qwen's and our own older spelling of reasoning_effort.
#pragma once

#include <cstdint>
#include <string_view>

#include "llm/openai/request.h"

namespace deeppool::llm {

enum class Shape : uint8_t {
  // checked for their type alone; null means absent everywhere (clients send it for unset options)
  boolean,
  number,
  integer,
  positive,  // an integer in 1..kMaxTokens
  string,
  object,
  array,
  string_or_object,
  // fields that the gateway reads
  text,  // that the model reads
  model,
  messages,
  prompt,
  input,
  stream,
  stream_options,
  max_tokens,
  max_completion_tokens,
  choices,  // `n`
  best_of,
  stop,
  tools,
  functions,
  schema_text,  // response_format: an object whose text the model reads
  reasoning_effort,
  enable_thinking,
  encoding_format,
};

struct Field {
  std::string_view name;
  Shape shape;
  int bit = 0;  // its own bit in a set of fields seen
};

// Null if `name` is not a field of `api` that we know.
const Field* find_field(Api api, std::string_view name);

}  // namespace deeppool::llm
