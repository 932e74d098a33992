// Anthropic's Messages API over the house's pipeline: its row as a protocol, count_tokens, and what
// its clients see of errors and limits.
#pragma once

#include "gateway/call.h"

namespace deeppool::gateway {

// A Messages request in the house dialect. Errors: invalid_request.
Result<HouseRequest> messages_to_house(const http::Exchange& x);
// Errors as Anthropic's clients read them.
Task<void> answer_anthropic_error(http::Exchange& x, Error error);
int anthropic_error_status(ErrorCode code);

// anthropic-ratelimit-*.
void add_anthropic_limits(http::Exchange& x, const ratelimit::Snapshot& limits, base::WallTime now);

inline constexpr Protocol kMessages{
    .api = llm::Api::chat_completions,
    .recorded = governance::Api::messages,
    .metric = "messages",
    .to_house = messages_to_house,
    .answer_error = answer_anthropic_error,
    .error_status = anthropic_error_status,
    .add_limits = add_anthropic_limits,
};

// POST /v1/messages/count_tokens: our own count, free of charge, near to what any model counts.
Task<void> count_message_tokens(Parts& parts, http::Exchange& x);

// Whether the request is for Anthropic's API: by its path, or by the header that only its clients
// send.
bool speaks_anthropic(const http::Exchange& x);

}  // namespace deeppool::gateway
