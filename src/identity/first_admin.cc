#include "identity/first_admin.h"

#include "identity/account_rules.h"
#include "identity/tokens.h"
#include "identity/user_store.h"
#include "sql/transaction.h"

namespace deeppool::identity {
namespace {

Result<User> account_of(const AdminSettings& settings, int64_t now_ms) {
  User user;
  DP_TRY(user.username, normal_username(settings.username));
  DP_TRY(user.email, normal_email(settings.email));
  DP_CHECK(check_phone(settings.phone));
  user.phone = settings.phone;
  user.role = Role::admin;
  user.created_at_ms = now_ms;
  return user;
}

Result<bool> has_admin(sql::Reader& reader) {
  DP_TRY(const users::Counts counts, users::count(reader));
  return counts.admins > 0;
}

}  // namespace

Result<std::optional<FirstAdmin>> ensure_admin(const Surroundings& in,
                                               const AdminSettings& settings) {
  {
    DP_TRY(auto reader, in.database.read());
    DP_TRY(const bool present, has_admin(reader));
    if (present) return std::optional<FirstAdmin>();
  }
  DP_TRY(const User user, account_of(settings, base::unix_ms(in.clock.wall())));
  FirstAdmin admin{user.username, {}};
  if (settings.password.empty()) admin.generated_password = make_password(in.random);
  const std::string& password = admin.generated_password.value_or(settings.password);
  DP_CHECK(check_new_password(password, user.username));
  DP_TRY(const std::string hash, crypto::hash_password(password, in.random, in.cost));
  auto made = sql::run_transaction(in.database,
                                   [&](sql::Writer& tx) { return users::create(tx, user, hash); });
  if (made) return std::optional(std::move(admin));
  // Another process may have been quicker; then the store has its administrator.
  DP_TRY(auto reader, in.database.read());
  DP_TRY(const bool present, has_admin(reader));
  if (present) return std::optional<FirstAdmin>();
  return std::move(made).error();
}

Result<std::string> reset_admin_password(const Surroundings& in, std::string_view username,
                                         const AlsoOnReset& also) {
  DP_TRY(const std::string name, normal_username(username));
  std::string password = make_password(in.random);
  DP_TRY(const std::string hash, crypto::hash_password(password, in.random, in.cost));
  DP_CHECK(sql::run_transaction(in.database, [&](sql::Writer& tx) -> Result<void> {
    DP_TRY(const auto found, users::find_credentials(tx, name));
    const Error missing(ErrorCode::not_found,
                        "There is no enabled administrator with this username.");
    if (!found) return missing;
    DP_TRY(const User user, users::get(tx, found->id));
    if (user.role != Role::admin || !user.enabled) return missing;
    DP_CHECK(users::set_password(tx, user.id, hash, base::unix_ms(in.clock.wall())));
    return also(tx, user.id);
  }));
  return password;
}

}  // namespace deeppool::identity
