// The messages of a house request, read: each with its content as Anthropic's blocks, in the
// house's order. What Anthropic demands of their order is conversation.h's business.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "provider/anthropic/block.h"

namespace deeppool::provider::anthropic {

// `messages`: the array, from a body that parse_request() accepted, with json::kPadding readable
// bytes behind it. Errors: invalid_request naming the message or part that cannot be said.
Result<std::vector<Message>> read_messages(std::string_view messages);

}  // namespace deeppool::provider::anthropic
