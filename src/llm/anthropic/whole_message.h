// A whole house answer as one Message of Anthropic's Messages API.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "json/padded.h"

namespace deeppool::llm::anthropic {

// `id`: behind "msg_", where the upstream's is not of that form. Errors: internal, for what is no
// chat completion.
Result<std::string> whole_message(const json::PaddedBytes& house_answer, std::string_view id);

// For the block at `index` when its vendor gave the call none.
std::string tool_id(std::string_view message_id, int64_t index);

}  // namespace deeppool::llm::anthropic
