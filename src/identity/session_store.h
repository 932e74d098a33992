// The table user_sessions: who is logged in. Blocking; for blocking pools only. Tokens are kept as
// SHA-256, so the table cannot be used to log in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "identity/user_store.h"
#include "sql/session.h"

namespace deeppool::identity::sessions {

struct Opening {
  base::UserId user;
  std::string_view token;
  std::string_view ip;
  std::string_view user_agent;  // cut to kMaxUserAgentBytes
  int64_t now_ms = 0;
};
// Starts a session of kSessionLifetime. Also clears away sessions that have expired, anybody's, and
// this user's oldest beyond kMaxSessionsPerUser. Inside a transaction.
Result<int64_t> open(sql::Writer& tx, const Opening& opening);

struct Session {
  int64_t id = 0;
  base::UserId user;
  std::string username;
  Role role = Role::user;
  int64_t last_seen_ms = 0;
  int64_t expires_at_ms = 0;
};
// The live session of an enabled user, or nothing.
Result<std::optional<Session>> find(sql::Reader& reader, std::string_view token, int64_t now_ms);
Result<void> note_seen(sql::Writer& writer, int64_t session, int64_t now_ms);
Result<void> close(sql::Writer& writer, int64_t session);
Result<void> close_all(sql::Writer& writer, base::UserId user);

}  // namespace deeppool::identity::sessions
