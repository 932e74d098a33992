#include "identity/session_store.h"

#include "crypto/hash.h"
#include "identity/limits.h"

namespace deeppool::identity::sessions {
namespace {

// Cut where a UTF-8 character begins: the column takes text only.
std::string_view cut(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return text.substr(0, limit);
}

Result<void> clear_away(sql::Writer& tx, const Opening& opening) {
  DP_CHECK(tx.execute("DELETE FROM user_sessions WHERE expires_at <= ?", opening.now_ms));
  DP_TRY(const auto oldest_kept,
         tx.query_one<int64_t>("SELECT id FROM user_sessions WHERE user_id = ? ORDER BY id DESC "
                               "LIMIT 1 OFFSET ?",
                               opening.user, kMaxSessionsPerUser - 2));
  if (!oldest_kept) return {};
  DP_CHECK(tx.execute("DELETE FROM user_sessions WHERE user_id = ? AND id < ?", opening.user,
                      *oldest_kept));
  return {};
}

}  // namespace

Result<int64_t> open(sql::Writer& tx, const Opening& o) {
  DP_CHECK(clear_away(tx, o));
  const crypto::Digest hash = crypto::sha256(o.token);
  DP_TRY(const sql::Outcome done,
         tx.execute("INSERT INTO user_sessions (user_id, token_hash, created_at, expires_at, "
                    "last_seen_at, ip, user_agent) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    o.user, hash, o.now_ms, o.now_ms + kSessionLifetime.count(), o.now_ms, o.ip,
                    cut(o.user_agent, kMaxUserAgentBytes)));
  return done.last_insert_id;
}

Result<std::optional<Session>> find(sql::Reader& reader, std::string_view token, int64_t now_ms) {
  const crypto::Digest hash = crypto::sha256(token);
  DP_TRY(auto row,
         (reader.query_one<int64_t, base::UserId, std::string, std::string, int64_t, int64_t>(
             "SELECT s.id, s.user_id, u.username, u.role, s.last_seen_at, s.expires_at FROM "
             "user_sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ? AND "
             "s.expires_at > ? AND u.enabled = 1",
             hash, now_ms)));
  if (!row) return std::optional<Session>();
  auto& [id, user, username, role, last_seen, expires] = *row;
  return std::optional(Session{id, user, std::move(username),
                               role == "admin" ? Role::admin : Role::user, last_seen, expires});
}

Result<void> note_seen(sql::Writer& writer, int64_t session, int64_t now_ms) {
  DP_CHECK(
      writer.execute("UPDATE user_sessions SET last_seen_at = ? WHERE id = ?", now_ms, session));
  return {};
}

Result<void> close(sql::Writer& writer, int64_t session) {
  DP_CHECK(writer.execute("DELETE FROM user_sessions WHERE id = ?", session));
  return {};
}

Result<void> close_all(sql::Writer& writer, base::UserId user) {
  DP_CHECK(writer.execute("DELETE FROM user_sessions WHERE user_id = ?", user));
  return {};
}

}  // namespace deeppool::identity::sessions
