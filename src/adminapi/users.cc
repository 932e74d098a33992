#include "adminapi/users.h"

#include "adminapi/audited_change.h"
#include "identity/account_rules.h"
#include "identity/tokens.h"
#include "identity/user_store.h"
#include "webapi/fields.h"
#include "webapi/limits.h"
#include "webapi/paging.h"
#include "webapi/user_json.h"

namespace deeppool::adminapi {
namespace {

namespace users = identity::users;
using http::Access;
using http::Method;
using identity::Role;
using identity::User;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;
using webapi::Services;

Result<std::optional<Role>> role_of(const Request& request) {
  const auto text = request.query("role");
  if (!text) return std::optional<Role>();
  if (*text == "user") return std::optional(Role::user);
  if (*text == "admin") return std::optional(Role::admin);
  return Error::invalid("role", "`role` must be user or admin.");
}

// What a body says about an account, on top of what `user` is already.
void read_account(Fields& body, User& user) {
  const std::string email = body.text("email", {}).value_or(user.email);
  user.phone = body.text("phone", {}).value_or(user.phone);
  const std::string role =
      body.choice("role", {"user", "admin"}).value_or(std::string(to_string(user.role)));
  user.role = role == "admin" ? Role::admin : Role::user;
  user.identity = body.choice("identity", {"provider", "consumer"}).value_or(user.identity);
  user.user_type = body.choice("user_type", {"personal", "enterprise"}).value_or(user.user_type);
  user.enabled = body.flag("enabled").value_or(user.enabled);
  body.check(identity::check_phone(user.phone));
  auto address = identity::normal_email(email);
  if (address) {
    user.email = *std::move(address);
  } else {
    body.fail(std::move(address).error());
  }
}

Answer list_users(const Services& s, const Request& request) {
  DP_TRY(const webapi::SearchPaging paging, webapi::search_paging_of(request));
  users::Search wanted{.keyword = paging.keyword,
                       .role = {},
                       .enabled = {},
                       .limit = paging.size,
                       .offset = paging.offset()};
  DP_TRY(wanted.role, role_of(request));
  DP_TRY(wanted.enabled, webapi::flag_of(request, "enabled"));
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const auto found, users::search(reader, wanted));
  boost::json::array items;
  for (const User& user : found.users) items.push_back(webapi::user_json(user));
  return webapi::page_of(paging, std::move(items), found.total);
}

Answer show_user(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::UserId>(request, 0, "user"));
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const User user, users::get(reader, id));
  return boost::json::value(webapi::user_json(user));
}

Answer update_user(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::UserId>(request, 0, "user"));
  boost::json::object updated;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const User before, users::get(tx, id));
    User after = before;
    Fields body(request.body);
    read_account(body, after);
    DP_CHECK(body.finish());
    if (id == request.user.id && (after.role != Role::admin || !after.enabled)) {
      return Error(ErrorCode::conflict,
                   "You cannot disable or demote your own account; ask another administrator.");
    }
    DP_CHECK(users::update(tx, after, webapi::now_ms(s)));
    DP_TRY(const User fresh, users::get(tx, id));
    updated = webapi::user_json(fresh);
    return Change{"user.update", "user", std::to_string(id.value),
                  difference(webapi::user_json(before), updated)};
  }));
  return boost::json::value(std::move(updated));
}

// A password that was given, or one to be shown once.
struct NewPassword {
  std::string text;
  bool generated = false;

  boost::json::object shown(boost::json::object answer) const {
    if (generated) answer["generated_password"] = text;
    return answer;
  }
};

Result<NewPassword> read_password(Fields& body, base::Random& random) {
  const auto given = body.secret("password", webapi::kMaxPasswordField);
  DP_CHECK(body.finish());
  NewPassword out{given.value_or(""), !given.has_value()};
  if (out.generated) out.text = identity::make_password(random);
  return out;
}

Answer store_user(const Services& s, const Request& request, User user, const std::string& hash) {
  user.created_at_ms = user.updated_at_ms = webapi::now_ms(s);
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(user.id, users::create(tx, user, hash));
    return Change{"user.create", "user", std::to_string(user.id.value),
                  difference({}, webapi::user_json(user))};
  }));
  return boost::json::value(webapi::user_json(user));
}

Task<Answer> create_user(const Services& s, const Request& request) {
  Fields body(request.body);
  const std::string username = body.required_text("username", {.max = webapi::kMaxPasswordField});
  User user;
  read_account(body, user);
  DP_CO_TRY(const NewPassword password, read_password(body, s.random));
  DP_CO_TRY(user.username, identity::normal_username(username));
  DP_CO_CHECK(identity::check_new_password(password.text, user.username));
  Result<std::string> hash = co_await s.passwords.hash(password.text);
  if (!hash) co_return std::move(hash).error();
  auto job = [&s, request, user, hash = *std::move(hash)] {
    return store_user(s, request, user, hash);
  };
  Answer stored = co_await s.sql_pool.run(std::move(job), webapi::sql_deadline());
  if (!stored) co_return std::move(stored).error();
  co_return boost::json::value(password.shown(std::move(stored->get_object())));
}

Result<User> find_user(const Services& s, base::UserId id) {
  DP_TRY(auto reader, s.database.read());
  return users::get(reader, id);
}

Answer store_password(const Services& s, const Request& request, base::UserId id,
                      const std::string& hash) {
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_CHECK(users::set_password(tx, id, hash, webapi::now_ms(s)));
    return Change{"user.reset_password", "user", std::to_string(id.value), {}};
  }));
  return boost::json::value{{"sessions_ended", true}};
}

Task<Answer> reset_password(const Services& s, const Request& request) {
  DP_CO_TRY(const auto id, webapi::path_id<base::UserId>(request, 0, "user"));
  Fields body(request.body.empty() ? "{}" : std::string_view(request.body));
  DP_CO_TRY(const NewPassword password, read_password(body, s.random));
  auto find = [&s, id] { return find_user(s, id); };
  Result<User> user = co_await s.sql_pool.run(std::move(find), webapi::sql_deadline());
  if (!user) co_return std::move(user).error();
  DP_CO_CHECK(identity::check_new_password(password.text, user->username));
  Result<std::string> hash = co_await s.passwords.hash(password.text);
  if (!hash) co_return std::move(hash).error();
  auto job = [&s, request, id, hash = *std::move(hash)] {
    return store_password(s, request, id, hash);
  };
  Answer stored = co_await s.sql_pool.run(std::move(job), webapi::sql_deadline());
  if (!stored) co_return std::move(stored).error();
  co_return boost::json::value(password.shown(std::move(stored->get_object())));
}

}  // namespace

std::vector<http::Route> user_routes(const Admin& admin) {
  const Services& s = admin.services;
  const auto at = webapi::blocking_with(s, std::cref(s));
  using webapi::kMaxBody;
  using webapi::telling;
  return {
      {Method::get, "/api/v1/admin/users", Access::admin, kMaxBody, at(list_users)},
      {Method::post, "/api/v1/admin/users", Access::admin, kMaxBody,
       telling(std::cref(s), create_user)},
      {Method::get, "/api/v1/admin/users/{id}", Access::admin, kMaxBody, at(show_user)},
      {Method::patch, "/api/v1/admin/users/{id}", Access::admin, kMaxBody, at(update_user)},
      {Method::post, "/api/v1/admin/users/{id}/reset-password", Access::admin, kMaxBody,
       telling(std::cref(s), reset_password)},
  };
}

}  // namespace deeppool::adminapi
