#include "portalapi/accounts.h"

#include "crypto/password.h"
#include "identity/account_rules.h"
#include "identity/limits.h"
#include "identity/session_store.h"
#include "identity/tokens.h"
#include "identity/user_store.h"
#include "settings/platform_settings.h"
#include "sql/transaction.h"
#include "webapi/fields.h"
#include "webapi/handler.h"
#include "webapi/limits.h"
#include "webapi/user_json.h"

namespace deeppool::portalapi {
namespace {

namespace users = identity::users;
namespace sessions = identity::sessions;
using http::Access;
using http::Method;
using identity::User;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;
using webapi::Services;

struct Registration {
  User user;
  std::string password;
};

Result<Registration> read_registration(const Request& request, int64_t now_ms) {
  Fields body(request.body);
  Registration r;
  const std::string username = body.required_text("username", {.max = webapi::kMaxPasswordField});
  r.password = body.required_secret("password", webapi::kMaxPasswordField);
  r.user.phone = body.text("phone", {}).value_or("");
  const std::string email = body.text("email", {}).value_or("");
  r.user.identity = body.choice("identity", {"provider", "consumer"}).value_or("consumer");
  r.user.user_type = body.choice("user_type", {"personal", "enterprise"}).value_or("personal");
  r.user.created_at_ms = now_ms;
  DP_CHECK(body.finish());
  DP_TRY(r.user.username, identity::normal_username(username));
  DP_TRY(r.user.email, identity::normal_email(email));
  DP_CHECK(identity::check_phone(r.user.phone));
  DP_CHECK(identity::check_new_password(r.password, r.user.username));
  return r;
}

Result<void> check_registration_open(const Services& s) {
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const auto platform, settings::load(reader));
  if (platform.registration_enabled != 0) return {};
  return Error(ErrorCode::permission_denied,
               "Registration is closed here. Ask an administrator for an account.");
}

Answer create_account(const Services& s, User user, const std::string& hash) {
  DP_TRY(user.id, sql::run_transaction(
                      s.database, [&](sql::Writer& tx) { return users::create(tx, user, hash); }));
  user.updated_at_ms = user.created_at_ms;
  return boost::json::value(webapi::user_json(user));
}

Task<Answer> register_account(const Portal& p, const Request& request) {
  const Services& s = p.services;
  DP_CO_TRY(Registration r, read_registration(request, webapi::now_ms(s)));
  DP_CO_CHECK(p.guards.registration(request.ip));
  Result<void> open =
      co_await s.sql_pool.run([&s] { return check_registration_open(s); }, webapi::sql_deadline());
  if (!open) co_return std::move(open).error();
  Result<std::string> hash = co_await s.passwords.hash(std::move(r.password));
  if (!hash) co_return std::move(hash).error();
  auto job = [&s, user = std::move(r.user), hash = *std::move(hash)] {
    return create_account(s, user, hash);
  };
  Answer made = co_await s.sql_pool.run(std::move(job), webapi::sql_deadline());
  co_return made;
}

// The account's password may have changed since it was verified; then this is no login.
Answer open_session(const Services& s, const users::Credentials& verified, const Request& request) {
  const std::string token = identity::make_token(identity::kSessionMark, s.random);
  const int64_t now = webapi::now_ms(s);
  return sql::run_transaction(s.database, [&](sql::Writer& tx) -> Answer {
    DP_TRY(const auto current, users::find_credentials(tx, verified.id));
    if (!current || current->password_hash != verified.password_hash) {
      return Error(ErrorCode::unauthenticated, "The password was changed. Log in again.");
    }
    DP_TRY(const User user, users::get(tx, verified.id));
    DP_CHECK(sessions::open(tx, {user.id, token, request.ip, request.user_agent, now}));
    return boost::json::value{{"token", token},
                              {"expires_at", now + identity::kSessionLifetime.count()},
                              {"user", webapi::user_json(user)}};
  });
}

// One answer and one duration for a wrong password and an unknown name.
Task<Result<users::Credentials>> verify(const Services& s,
                                        Result<std::optional<users::Credentials>> found,
                                        std::string password) {
  if (!found) co_return std::move(found).error();
  std::optional<std::string> hash;
  if (*found) hash = (*found)->password_hash;
  Result<bool> right = co_await s.passwords.verify(std::move(password), std::move(hash));
  if (!right) co_return std::move(right).error();
  if (!*right) {
    co_return Error(ErrorCode::unauthenticated, "The username or the password is wrong.");
  }
  if (!(*found)->enabled) {  // told only to who knows the password
    co_return Error(ErrorCode::permission_denied,
                    "This account is disabled. Ask an administrator.");
  }
  co_return **std::move(found);
}

Result<std::optional<users::Credentials>> credentials_by_name(const Services& s,
                                                              const std::string& username) {
  DP_TRY(auto reader, s.database.read());
  return users::find_credentials(reader, username);
}

Result<std::optional<users::Credentials>> credentials_by_id(const Services& s, base::UserId id) {
  DP_TRY(auto reader, s.database.read());
  return users::find_credentials(reader, id);
}

Task<Answer> log_in(const Portal& p, const Request& request) {
  const Services& s = p.services;
  Fields body(request.body);
  std::string username = body.required_text("username", {.max = webapi::kMaxPasswordField});
  std::string password = body.required_secret("password", webapi::kMaxPasswordField);
  DP_CO_CHECK(body.finish());
  for (char& c : username) c = base::lower(c);
  DP_CO_CHECK(p.guards.login(username, request.ip));
  auto look_up = [&s, username] { return credentials_by_name(s, username); };
  auto found = co_await s.sql_pool.run(std::move(look_up), webapi::sql_deadline());
  auto verified = co_await verify(s, std::move(found), std::move(password));
  if (!verified) co_return std::move(verified).error();
  p.guards.logged_in(username, request.ip);
  auto job = [&s, request, credentials = *std::move(verified)] {
    return open_session(s, credentials, request);
  };
  Answer opened = co_await s.sql_pool.run(std::move(job), webapi::sql_deadline());
  co_return opened;
}

Answer store_password(const Services& s, const Request& request, const std::string& hash) {
  DP_CHECK(sql::run_transaction(s.database, [&](sql::Writer& tx) {
    return users::set_password(tx, request.user.id, hash, webapi::now_ms(s));
  }));
  return boost::json::value{{"sessions_ended", true}};
}

Task<Answer> change_password(const Portal& p, const Request& request) {
  const Services& s = p.services;
  Fields body(request.body);
  std::string old_password = body.required_secret("old_password", webapi::kMaxPasswordField);
  std::string new_password = body.required_secret("new_password", webapi::kMaxPasswordField);
  DP_CO_CHECK(body.finish());
  if (auto rule = identity::check_new_password(new_password, request.user.name); !rule) {
    rule.error().param = "new_password";
    co_return std::move(rule).error();
  }
  DP_CO_CHECK(p.guards.login(request.user.name, request.ip));
  auto look_up = [&s, id = request.user.id] { return credentials_by_id(s, id); };
  auto found = co_await s.sql_pool.run(std::move(look_up), webapi::sql_deadline());
  auto verified = co_await verify(s, std::move(found), std::move(old_password));
  if (!verified && verified.error().code == ErrorCode::unauthenticated) {
    co_return Error::invalid("old_password", "The old password is wrong.");
  }
  if (!verified) co_return std::move(verified).error();
  p.guards.logged_in(request.user.name, request.ip);
  Result<std::string> hash = co_await s.passwords.hash(std::move(new_password));
  if (!hash) co_return std::move(hash).error();
  auto job = [&s, request, hash = *std::move(hash)] { return store_password(s, request, hash); };
  Answer stored = co_await s.sql_pool.run(std::move(job), webapi::sql_deadline());
  co_return stored;
}

Answer log_out(const Services& s, const Request& request) {
  DP_TRY(auto writer, s.database.write());
  DP_CHECK(sessions::close(writer, request.user.session));
  return boost::json::value();
}

Answer show_profile(const Services& s, const Request& request) {
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const User user, users::get(reader, request.user.id));
  return boost::json::value(webapi::user_json(user));
}

Answer change_profile(const Services& s, const Request& request) {
  Fields body(request.body);
  const auto phone = body.text("phone", {});
  const auto identity = body.choice("identity", {"provider", "consumer"});
  const auto user_type = body.choice("user_type", {"personal", "enterprise"});
  if (phone) body.check(identity::check_phone(*phone));
  DP_CHECK(body.finish());
  DP_CHECK(sql::run_transaction(s.database, [&](sql::Writer& tx) -> Result<void> {
    DP_TRY(User user, users::get(tx, request.user.id));
    user.phone = phone.value_or(user.phone);
    user.identity = identity.value_or(user.identity);
    user.user_type = user_type.value_or(user.user_type);
    return users::update_profile(tx, user, webapi::now_ms(s));
  }));
  return show_profile(s, request);
}

}  // namespace

std::vector<http::Route> account_routes(const Portal& p) {
  const Services& s = p.services;
  const auto at = webapi::blocking_with(s, std::cref(s));
  using webapi::kMaxBody;
  using webapi::telling;
  return {
      {Method::post, "/api/v1/users/register", Access::anyone, kMaxBody,
       telling(p, register_account)},
      {Method::post, "/api/v1/users/login", Access::anyone, kMaxBody, telling(p, log_in)},
      {Method::post, "/api/v1/users/logout", Access::user, kMaxBody, at(log_out)},
      {Method::get, "/api/v1/users/profile", Access::user, kMaxBody, at(show_profile)},
      {Method::put, "/api/v1/users/profile", Access::user, kMaxBody, at(change_profile)},
      {Method::post, "/api/v1/users/change-password", Access::user, kMaxBody,
       telling(p, change_password)},
  };
}

}  // namespace deeppool::portalapi
