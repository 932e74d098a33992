#include "webapi/session_check.h"

#include "identity/bearer.h"
#include "identity/limits.h"
#include "identity/session_store.h"
#include "identity/tokens.h"
#include "webapi/handler.h"

namespace deeppool::webapi {
namespace {

using identity::sessions::Session;

Error log_in_first() {
  return Error(ErrorCode::unauthenticated,
               "Log in first: send the session's token as `Authorization: Bearer dps-...`.");
}

Result<Session> look_up(const Services& services, const std::string& token) {
  const int64_t now = now_ms(services);
  std::optional<Session> session;
  {
    DP_TRY(auto reader, services.database.read());
    DP_TRY(session, identity::sessions::find(reader, token, now));
  }
  if (!session) return log_in_first();
  if (now - session->last_seen_ms >= identity::kLastSeenStep.count()) {
    // A store that only reads still lets people look; what matters says so when it writes.
    auto writer = services.database.write();
    if (writer) (void)identity::sessions::note_seen(*writer, session->id, now).ok();
  }
  return *std::move(session);
}

}  // namespace

Task<Result<void>> authorize(const Services& services, http::Exchange& x, http::Access access) {
  const auto field = x.head.headers.find("authorization");
  const std::string token(field ? identity::bearer_token(*field) : std::string_view());
  if (!token.starts_with(identity::kSessionMark)) co_return log_in_first();
  auto job = [&services, token] { return look_up(services, token); };
  Result<Session> session = co_await services.sql_pool.run(std::move(job), sql_deadline());
  if (!session) co_return std::move(session).error();
  x.user = {.id = session->user,
            .session = session->id,
            .admin = session->role == identity::Role::admin,
            .name = std::move(session->username)};
  if (access == http::Access::admin && !x.user.admin) {
    co_return Error(ErrorCode::permission_denied, "This is for administrators only.");
  }
  co_return Result<void>();
}

}  // namespace deeppool::webapi
