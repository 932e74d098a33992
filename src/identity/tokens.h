// Secrets that callers present: API keys `dp-...` and session tokens `dps-...`, 256 random bits
// each. The store holds their SHA-256 only (keys also sealed, so that the owner can see them
// again); with that much entropy a slow hash adds nothing.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace deeppool::identity {

inline constexpr std::string_view kApiKeyMark = "dp-";
inline constexpr std::string_view kSessionMark = "dps-";
inline constexpr size_t kShownKeyBytes = 10;  // "dp-" and 7 characters: tells keys apart, no more

// `mark` and 43 characters of URL-safe base64.
std::string make_token(std::string_view mark, base::Random& random);
// A password to be shown once: 20 characters of URL-safe base64, 120 random bits.
std::string make_password(base::Random& random);

}  // namespace deeppool::identity
