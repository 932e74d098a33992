// Every bound of this module, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::webapi {

// Bodies of /api/v1 are small objects; a model with 100 tags and endpoints has a few KiB.
inline constexpr size_t kMaxBody = 64 * 1024;
// Somebody waits in front of a console; the SQL layer's own waits (5 s for a connection) fit in.
inline constexpr std::chrono::seconds kSqlDeadline{15};
inline constexpr int64_t kDefaultPageSize = 20;
inline constexpr int64_t kMaxPageSize = 100;  // the contract's
// Deeper pages cost the database a scan of all before them; keywords and filters go further.
inline constexpr int64_t kMaxPage = 10'000;
inline constexpr size_t kMaxKeywordBytes = 100;

// A password that bcrypt would cut gets its own message, not one about the body.
inline constexpr size_t kMaxPasswordField = 1024;

}  // namespace deeppool::webapi
