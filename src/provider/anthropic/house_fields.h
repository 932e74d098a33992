// The top-level fields of a house request as Anthropic's request is made of them: each where it
// stands in the body, and the names of those that Anthropic has no word for. Made once per request;
// refers to the body.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deeppool::provider::anthropic {

// Values are JSON texts with json::kPadding readable bytes behind them. Empty: absent or null.
struct HouseFields {
  std::string_view messages;
  std::string_view tools;
  std::string_view functions;
  std::string_view tool_choice;
  std::string_view function_call;
  std::string_view parallel_tool_calls;
  std::string_view temperature;
  std::string_view top_p;
  std::string_view top_k;
  std::string_view stop;
  std::string_view user;
  std::string_view safety_identifier;
  std::string_view service_tier;
  std::string_view response_format;
  std::string_view reasoning_effort;
  std::string_view enable_thinking;
  std::string_view thinking;
  std::string_view extension;        // `anthropic`
  std::vector<std::string> dropped;  // no word for them, and they were to have an effect
};

// `body` was accepted by parse_request().
HouseFields read_house_fields(std::string_view body);

// What callers say in Anthropic's own words, in the member `anthropic`: it goes before what is made
// of the house's words.
struct Extension {
  std::string_view thinking;
  std::string_view output_config;
  std::string_view effort;  // of output_config
  std::string_view metadata;
  std::string_view service_tier;
  std::string_view tool_choice;
  std::string_view tools;  // Anthropic's own tools, an array
  std::string_view top_k;
  std::vector<std::string> betas;
  std::vector<std::pair<std::string, std::string_view>> others;  // taken as they are
};

Extension read_extension(std::string_view extension);

}  // namespace deeppool::provider::anthropic
