// The words of an answer that streams and whole answers of the Messages API share.
#pragma once

#include <string>
#include <string_view>

#include "llm/house_answer.h"
#include "llm/json_out.h"

namespace deeppool::llm::anthropic {

// `msg_` and `own`, or the upstream's where it has that form.
std::string message_id(std::string_view upstream, std::string_view own);

struct Stop {
  std::string_view finish_reason;
  std::string_view stop_sequence;  // escaped; empty: none was met
  std::string_view stop_reason;    // the upstream's own word, if it said one
  bool called_tools = false;
};
// The members stop_reason and stop_sequence.
void write_stop(JsonOut& json, const Stop& stop);

// In Anthropic's terms: input_tokens without what was read from or written to the cache. `house` is
// a usage object of the house with json::kPadding bytes behind, or empty: then `prompt_tokens` and
// 0.
void write_usage(JsonOut& json, std::string_view house, int64_t prompt_tokens);

// A tool's input: the object that `escaped` spells, {} where it is blank; what is no object is put
// into one.
void write_tool_input(JsonOut& json, std::string_view escaped);

}  // namespace deeppool::llm::anthropic
