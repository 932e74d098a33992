// Gemini's logprobsResult as the elements of the house's logprobs.content. Pure.
#pragma once

#include <string>

#include "provider/json_text.h"

namespace deeppool::provider::gemini {

// Appended to, with commas between elements.
void append_logprobs(std::string& out, JsonText result);

}  // namespace deeppool::provider::gemini
