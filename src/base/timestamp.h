// Points in time as text for people and protocols. Pure functions.
#pragma once

#include <cstdint>
#include <string>

namespace deeppool::base {

// "2026-11-23T10:00:00Z": UTC, to the second (RFC 3339).
std::string rfc3339(int64_t unix_seconds);

}  // namespace deeppool::base
