// What an endpoint may be, whoever enters it: an administrator or a user. Pure.
#pragma once

#include <string_view>

#include "base/error.h"

namespace deeppool::provider {

// invalid_request (param `provider_type`) for a dialect that is not spoken.
Result<void> check_provider_type(std::string_view type);
// invalid_request (param `api_key`) for what cannot stand in a header.
Result<void> check_upstream_key(std::string_view key);
// Whether two base URLs lead to the same host and port in the same way; a key that was entered for
// one may then go to the other.
bool same_server(std::string_view url, std::string_view other);

}  // namespace deeppool::provider
