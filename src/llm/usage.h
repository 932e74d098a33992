// Usage: the tokens of one request in one normal form, whatever the vendor's words for them. Plain
// data, made by the codecs of this module, billed by governance. Invariant (kept by read_usage):
// no count is negative; cached + cache_write + image_input + audio_input <= prompt, which are read
// as disjoint; reasoning <= completion; image_output + audio_output <= completion.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/reader.h"

namespace deeppool::llm {

struct Usage {
  enum class Source : uint8_t { upstream, estimated };

  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t cached_tokens = 0;       // inside prompt_tokens: read from the provider's cache
  int64_t cache_write_tokens = 0;  // inside prompt_tokens: written to it
  int64_t reasoning_tokens = 0;    // inside completion_tokens
  Source source = Source::upstream;
  // Where the provider says so, inside prompt_tokens and completion_tokens.
  int64_t image_input_tokens = 0;
  int64_t audio_input_tokens = 0;
  int64_t image_output_tokens = 0;
  int64_t audio_output_tokens = 0;

  int64_t total() const { return prompt_tokens + completion_tokens; }
  friend bool operator==(const Usage&, const Usage&) = default;
};

// OpenAI's full shape, from our numbers alone. `cost`, here and below, is the text of a JSON number
// that becomes the member `cost` (what our caller pays); empty: none is written.
void append_usage_json(std::string& out, const Usage& usage, std::string_view cost = {});

// Reads an OpenAI-like `usage` object, with the dialects of DeepSeek (prompt_cache_hit_tokens),
// Kimi (cached_tokens at the top) and Qwen (cache_creation_input_tokens). Nothing if it is not an
// object or names neither prompt nor completion tokens. `json` is valid, with json::kPadding bytes
// behind.
std::optional<Usage> read_usage(std::string_view json);

struct FoundUsage {
  Usage usage;
  bool full_shape = false;  // append_full_usage would change nothing but the cost
  bool has_cost = false;    // the upstream's own, which is not ours to pass on
};
// The same of the value that comes next in `reader`, which is consumed whatever it is.
std::optional<FoundUsage> read_usage(json::Reader& reader);

// The upstream's own usage object with the members of OpenAI's full shape added where they lack
// (or are null), and with `cost` for its own; everything else byte for byte. `json` was accepted by
// read_usage() as `usage`.
void append_full_usage(std::string& out, std::string_view json, const Usage& usage,
                       std::string_view cost = {});

}  // namespace deeppool::llm
