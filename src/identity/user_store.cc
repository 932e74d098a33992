#include "identity/user_store.h"

#include "identity/session_store.h"

namespace deeppool::identity {
namespace {

Error no_such_user() {
  return Error(ErrorCode::not_found, "There is no such user.");
}

// The unique column allows many rows without an address, as NULL.
std::optional<std::string_view> email_column(const User& user) {
  if (user.email.empty()) return std::nullopt;
  return user.email;
}

Error taken(Error conflict) {
  if (conflict.code != ErrorCode::conflict) return conflict;
  if (conflict.param == "username") conflict.message = "This username is taken.";
  if (conflict.param == "email") conflict.message = "Another account has this e-mail address.";
  return conflict;
}

// Locks the rows of all administrators, so that two of them cannot remove each other at once.
Result<void> keep_one_admin(sql::Writer& tx, const User& changed) {
  if (changed.role == Role::admin && changed.enabled) return {};
  DP_TRY(const auto admins,
         tx.query<base::UserId>("SELECT id FROM users WHERE role = 'admin' AND enabled = 1 "
                                "ORDER BY id {for_update}"));
  if (admins.size() == 1 && admins.front() == changed.id) {
    return Error(ErrorCode::conflict,
                 "This is the only enabled administrator; make another one first.");
  }
  return {};
}

}  // namespace

std::string_view to_string(Role role) {
  return role == Role::admin ? "admin" : "user";
}

User User::from_row(const sql::Row& row) {
  User u;
  std::string_view role;
  std::optional<std::string> email;
  row.into(u.id, u.username, u.phone, email, role, u.identity, u.user_type, u.enabled,
           u.created_at_ms, u.updated_at_ms);
  u.email = std::move(email).value_or("");
  u.role = role == "admin" ? Role::admin : Role::user;
  return u;
}

namespace users {

Result<User> get(sql::Reader& reader, base::UserId id) {
  DP_TRY(auto row,
         reader.query_one<User>("SELECT id, username, phone, email, role, identity, user_type, "
                                "enabled, created_at, updated_at FROM users WHERE id = ?",
                                id));
  if (!row) return no_such_user();
  return *std::move(row);
}

Result<std::optional<Credentials>> find_credentials(sql::Reader& reader,
                                                    std::string_view username) {
  DP_TRY(auto row,
         (reader.query_one<base::UserId, std::string, bool>(
             "SELECT id, password_hash, enabled FROM users WHERE username = ?", username)));
  if (!row) return std::optional<Credentials>();
  auto& [id, hash, enabled] = *row;
  return std::optional(Credentials{id, std::move(hash), enabled});
}

Result<std::optional<Credentials>> find_credentials(sql::Reader& reader, base::UserId wanted) {
  DP_TRY(auto row, (reader.query_one<base::UserId, std::string, bool>(
                       "SELECT id, password_hash, enabled FROM users WHERE id = ?", wanted)));
  if (!row) return std::optional<Credentials>();
  auto& [id, hash, enabled] = *row;
  return std::optional(Credentials{id, std::move(hash), enabled});
}

Result<Found> search(sql::Reader& reader, const Search& wanted) {
  const std::string pattern = sql::like_pattern(wanted.keyword);
  std::optional<std::string_view> role;
  if (wanted.role) role = to_string(*wanted.role);
  Found found;
  DP_TRY(found.total,
         reader.query_value<int64_t>(
             "SELECT COUNT(*) FROM users WHERE (LOWER(username) LIKE LOWER(?) ESCAPE '!' OR phone "
             "LIKE ? ESCAPE '!' OR LOWER(COALESCE(email, '')) LIKE LOWER(?) ESCAPE '!') AND role = "
             "COALESCE(?, role) AND enabled = COALESCE(?, enabled)",
             pattern, pattern, pattern, role, wanted.enabled));
  DP_TRY(found.users,
         reader.query<User>(
             "SELECT id, username, phone, email, role, identity, user_type, enabled, created_at, "
             "updated_at FROM users WHERE (LOWER(username) LIKE LOWER(?) ESCAPE '!' OR phone LIKE "
             "? ESCAPE '!' OR LOWER(COALESCE(email, '')) LIKE LOWER(?) ESCAPE '!') AND role = "
             "COALESCE(?, role) AND enabled = COALESCE(?, enabled) ORDER BY id DESC LIMIT ? "
             "OFFSET ?",
             pattern, pattern, pattern, role, wanted.enabled, wanted.limit, wanted.offset));
  return found;
}

Result<Counts> count(sql::Reader& reader) {
  Counts counts;
  DP_TRY(counts.total, reader.query_value<int64_t>("SELECT COUNT(*) FROM users"));
  DP_TRY(counts.enabled,
         reader.query_value<int64_t>("SELECT COUNT(*) FROM users WHERE enabled = 1"));
  DP_TRY(counts.admins, reader.query_value<int64_t>(
                            "SELECT COUNT(*) FROM users WHERE enabled = 1 AND role = 'admin'"));
  return counts;
}

Result<base::UserId> create(sql::Writer& tx, const User& u, std::string_view password_hash) {
  auto done = tx.execute(
      "INSERT INTO users (username, password_hash, phone, email, role, identity, user_type, "
      "enabled, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      u.username, password_hash, u.phone, email_column(u), to_string(u.role), u.identity,
      u.user_type, u.enabled, u.created_at_ms, u.created_at_ms);
  if (!done) return taken(std::move(done).error());
  return base::UserId{done->last_insert_id};
}

Result<void> update(sql::Writer& tx, const User& u, int64_t now_ms) {
  DP_CHECK(keep_one_admin(tx, u));
  auto done = tx.execute(
      "UPDATE users SET phone = ?, email = ?, role = ?, identity = ?, user_type = ?, enabled = ?, "
      "updated_at = ? WHERE id = ?",
      u.phone, email_column(u), to_string(u.role), u.identity, u.user_type, u.enabled, now_ms,
      u.id);
  if (!done) return taken(std::move(done).error());
  if (done->affected == 0) return no_such_user();
  if (!u.enabled) return sessions::close_all(tx, u.id);
  return {};
}

Result<void> update_profile(sql::Writer& tx, const User& u, int64_t now_ms) {
  DP_TRY(const sql::Outcome done,
         tx.execute("UPDATE users SET phone = ?, identity = ?, user_type = ?, updated_at = ? "
                    "WHERE id = ?",
                    u.phone, u.identity, u.user_type, now_ms, u.id));
  if (done.affected == 0) return no_such_user();
  return {};
}

Result<void> set_password(sql::Writer& tx, base::UserId id, std::string_view password_hash,
                          int64_t now_ms) {
  DP_TRY(const sql::Outcome done,
         tx.execute("UPDATE users SET password_hash = ?, updated_at = ? WHERE id = ?",
                    password_hash, now_ms, id));
  if (done.affected == 0) return no_such_user();
  return sessions::close_all(tx, id);
}

}  // namespace users
}  // namespace deeppool::identity
