// Requests of Anthropic's Messages API, put into the house dialect. What that has no words for
// travels in extension members: docs/protocols.md lists what goes where. Pure functions on bytes.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "json/padded.h"

namespace deeppool::llm::anthropic {

// Of the header anthropic-version. Both speak alike as far as we read requests; a client that needs
// another one learns it at once. Absent: fine, tools forget it. Errors: invalid_request.
Result<void> check_version(std::optional<std::string_view> header);

// Whether an answer is wanted, or only the size of the prompt (count_tokens).
enum class Purpose : uint8_t { answer, count };

struct HouseBody {
  json::PaddedBytes body;
  int64_t prompt_tokens = 0;  // a first estimate: characters / 4
};
// `betas`: the header anthropic-beta, a comma-separated list; may be empty. Errors:
// invalid_request; `param` is the path in the caller's words ("messages[2].content[0].type").
Result<HouseBody> to_house(const json::PaddedBytes& request, Purpose purpose,
                           std::string_view betas);

}  // namespace deeppool::llm::anthropic
