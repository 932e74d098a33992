// What an upstream's failure means for us: the error that a caller may see, and whether another
// endpoint may do better. What a vendor's words mean is llm::find_error's business, for all
// vendors.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "llm/openai/upstream_error.h"
#include "provider/health.h"

namespace deeppool::provider {

enum class Elsewhere { worth_trying, pointless };

struct Failure {
  Error error;
  Elsewhere elsewhere;
  std::optional<Fault> fault;  // of the endpoint; none: it is right, or was not to blame
};

// A status other than 2xx. `retry_after`: the header's value; `said`: the error found in the body.
Failure failure_of_status(int status, std::optional<std::string_view> retry_after,
                          const std::optional<llm::UpstreamError>& said, const base::Clock& clock);
// An error object that came with status 200, as a body or inside a stream.
Failure failure_of_error(const llm::UpstreamError& said);

// Retry-After as seconds (a fraction is allowed) or an HTTP date; nothing if it is neither,
// negative or above an hour.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value,
                                                           const base::Clock& clock);

}  // namespace deeppool::provider
