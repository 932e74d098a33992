// The token of an `Authorization: Bearer ...` field. Used by keys and sessions alike.
#pragma once

#include <string_view>

#include "base/text.h"

namespace deeppool::identity {

// Empty for any other scheme (RFC 6750, 2.1; the scheme's case does not matter).
inline std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!base::iequals(authorization.substr(0, kScheme.size()), kScheme)) return {};
  return base::trim(authorization.substr(kScheme.size()));
}

}  // namespace deeppool::identity
