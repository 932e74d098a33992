// Tools and the choice among them, from the house's words to Anthropic's. Reads JSON that
// parse_request() accepted. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace deeppool::provider::anthropic {

struct ToolChoice {
  enum class Kind : uint8_t { unset, automatic, none, any, named };

  Kind kind = Kind::unset;
  std::string name;                  // raw, of `named`
  bool only_some = false;            // of allowed_tools: all others are not to be told
  std::vector<std::string> allowed;  // raw

  bool forces() const { return kind == Kind::any || kind == Kind::named; }
};

// `value`: of `tool_choice` or of the older `function_call`; empty: unset. Errors: invalid_request.
Result<ToolChoice> read_tool_choice(std::string_view value);

struct ToolList {
  std::string json;           // comma-separated objects
  bool drops_strict = false;  // some tool's `strict` was left out
  bool empty() const { return json.empty(); }
};

// `tools` and `functions` are values of these fields, empty where there are none. Errors:
// invalid_request naming a tool that Anthropic has no word for.
Result<ToolList> read_tools(std::string_view tools, std::string_view functions,
                            const ToolChoice& choice);

// A tool of which only the name is known, for calls in a conversation that offers none any more:
// without any definition Anthropic refuses them.
void add_stand_in(ToolList& list, std::string_view raw_name);

enum class Calls : uint8_t { any_number, one_at_a_time };
// Empty: nothing needs to be said.
std::string tool_choice_json(const ToolChoice& choice, Calls calls);

}  // namespace deeppool::provider::anthropic
