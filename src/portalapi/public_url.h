// URLs that users enter, which this machine will then call. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/client/dialer.h"

namespace deeppool::portalapi {

// What can be told of `field` without a look-up: https and not this network, unless `reach` is
// anywhere. The rest is judged when a connection is made. invalid_request names the field.
Result<void> check_public_url(std::string_view field, const std::string& text, http::Reach reach);

}  // namespace deeppool::portalapi
