// The table users. Blocking; for blocking pools only. Password hashes leave it through
// find_credentials() alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "sql/session.h"

namespace deeppool::identity {

enum class Role { user, admin };
std::string_view to_string(Role role);

struct User {
  base::UserId id;
  std::string username;  // by normal_username
  std::string phone;
  std::string email;  // by normal_email; empty: none
  Role role = Role::user;
  std::string identity = "consumer";   // or "provider"
  std::string user_type = "personal";  // or "enterprise"
  bool enabled = true;
  int64_t created_at_ms = 0;
  int64_t updated_at_ms = 0;

  static User from_row(const sql::Row& row);
};

namespace users {

struct Credentials {
  base::UserId id;
  std::string password_hash;
  bool enabled = false;
};

struct Search {
  std::string keyword;  // in username, phone or e-mail; empty: all
  std::optional<Role> role;
  std::optional<bool> enabled;
  int64_t limit = 20;
  int64_t offset = 0;
};
struct Found {
  std::vector<User> users;  // newest first
  int64_t total = 0;
};
struct Counts {
  int64_t total = 0;
  int64_t enabled = 0;
  int64_t admins = 0;  // enabled ones
};

// not_found if there is none.
Result<User> get(sql::Reader& reader, base::UserId id);
Result<std::optional<Credentials>> find_credentials(sql::Reader& reader, std::string_view username);
Result<std::optional<Credentials>> find_credentials(sql::Reader& reader, base::UserId id);
Result<Found> search(sql::Reader& reader, const Search& wanted);
Result<Counts> count(sql::Reader& reader);

// conflict with param `username` or `email` when it is taken.
Result<base::UserId> create(sql::Writer& tx, const User& user, std::string_view password_hash);
// Everything but the username. conflict when no enabled administrator would be left. Ends the
// user's sessions when it disables the user. Inside a transaction.
Result<void> update(sql::Writer& tx, const User& user, int64_t now_ms);
// What users change themselves: phone, identity, user_type. No other column is written.
Result<void> update_profile(sql::Writer& tx, const User& user, int64_t now_ms);
// Ends all sessions of the user. Inside a transaction.
Result<void> set_password(sql::Writer& tx, base::UserId id, std::string_view password_hash,
                          int64_t now_ms);

}  // namespace users
}  // namespace deeppool::identity
