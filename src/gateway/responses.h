// OpenAI's Responses API over the house's pipeline: its row as a protocol.
#pragma once

#include "gateway/protocol.h"

namespace deeppool::gateway {

// A Responses request in the house dialect. Errors: invalid_request.
Result<HouseRequest> responses_to_house(const http::Exchange& x);

inline constexpr Protocol kResponses{
    .api = llm::Api::chat_completions,
    .recorded = governance::Api::responses,
    .metric = "responses",
    .to_house = responses_to_house,
};

}  // namespace deeppool::gateway
