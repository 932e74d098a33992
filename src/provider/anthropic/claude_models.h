// What each Claude takes and refuses beside its reasoning (reasoning_table.h): dated rows by the
// upstream's name of the model. Data and a lookup; pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace deeppool::provider::anthropic {

// Which of temperature, top_p and top_k a model takes.
enum class Sampling : uint8_t { all, one, none };

struct ClaudeModel {
  std::string_view models;  // as ReasoningRow::models
  int64_t most_output = 0;  // tokens; asked for where nobody names a bound
  Sampling sampling = Sampling::all;
  bool takes_prefill = true;    // a conversation may end with the assistant's own words
  bool takes_schema = false;    // output_config.format
  bool hides_thinking = false;  // thinking text comes only where `display` asks for it
  std::string_view as_of;       // ISO date
};

// Never fails: other families get the row of what the dialect has always known.
const ClaudeModel& find_claude(std::string_view upstream_model);

}  // namespace deeppool::provider::anthropic
