// Tools of a house request as Gemini's functionDeclarations, and the choice among them. Pure, on
// the stack of one translation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "provider/json_text.h"

namespace deeppool::provider::gemini {

// The declarations, joined by commas, of `tools` or of the deprecated `functions`; appended to.
// Tools that are no functions are left out, and their paths are added to `dropped`.
// Errors: invalid_request with `param`.
Result<void> append_declarations(JsonText tools, std::string_view field, std::string& declarations,
                                 std::vector<std::string>& dropped);

// `tool_choice` or `function_call` as a functionCallingConfig. Empty for null.
std::string calling_config(JsonText choice);

}  // namespace deeppool::provider::gemini
