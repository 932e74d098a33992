#include "adminapi/token_grants.h"

#include "adminapi/audited_change.h"
#include "adminapi/limits.h"
#include "governance/grants/grant_store.h"
#include "governance/limits.h"
#include "identity/user_store.h"
#include "webapi/envelope.h"
#include "webapi/fields.h"
#include "webapi/limits.h"
#include "webapi/paging.h"

namespace deeppool::adminapi {
namespace {

namespace grants = governance::grants;
using governance::TokenGrant;
using http::Access;
using http::Method;
using webapi::Answer;
using webapi::Fields;
using webapi::or_null;
using webapi::Request;
using webapi::Services;

boost::json::object grant_json(const TokenGrant& g) {
  return {{"id", g.id.value},
          {"user_id", g.user.value},
          {"tokens_total", g.tokens_total},
          {"tokens_used", g.tokens_used},
          {"tokens_held", g.tokens_leased},
          {"expires_at", or_null(g.expires_at_ms)},
          {"remark", g.remark},
          {"created_at", g.created_at_ms},
          {"revoked_at", or_null(g.revoked_at_ms)}};
}

Answer list_grants(const Services& s, const Request& request) {
  DP_TRY(const webapi::SearchPaging paging, webapi::search_paging_of(request));
  grants::Search wanted{.keyword = paging.keyword, .limit = paging.size, .offset = paging.offset()};
  DP_TRY(const auto user, webapi::integer_of(request, "user_id"));
  if (user) wanted.user = base::UserId{*user};
  DP_TRY(const auto usable, webapi::flag_of(request, "usable"));
  if (usable.value_or(false)) wanted.usable_at_ms = webapi::now_ms(s);
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const auto found, grants::search(reader, wanted));
  boost::json::array items;
  for (const TokenGrant& grant : found.grants) items.push_back(grant_json(grant));
  return webapi::page_of(paging, std::move(items), found.total);
}

Result<grants::NewGrant> read_grant(const Services& s, const Request& request) {
  grants::NewGrant out;
  out.now_ms = webapi::now_ms(s);
  out.created_by = request.user.id;
  Fields body(request.body);
  body.required("user_id");
  body.required("tokens_total");
  out.user.value = body.integer("user_id", {.min = 1}).value_or(0);
  out.tokens =
      body.integer("tokens_total", {.min = 1, .max = governance::kMaxQuotaTokens}).value_or(0);
  out.expires_at_ms = body.nullable_integer("expires_at", {.min = 0}).value_or(std::nullopt);
  out.remark = body.text("remark", {.max = kMaxRemarkBytes}).value_or("");
  if (out.expires_at_ms.value_or(out.now_ms + 1) <= out.now_ms) {
    body.fail(Error::invalid("expires_at",
                             "`expires_at` must be in the future, in unix milliseconds; null is "
                             "never."));
  }
  DP_CHECK(body.finish());
  return out;
}

Answer create_grant(const Services& s, const Request& request) {
  DP_TRY(const grants::NewGrant wanted, read_grant(s, request));
  boost::json::object created;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_CHECK(identity::users::get(tx, wanted.user));
    DP_TRY(const base::GrantId id, grants::create(tx, wanted));
    DP_TRY(const TokenGrant grant, grants::get(tx, id));
    created = grant_json(grant);
    return Change{"token_grant.create", "token_grant", std::to_string(id.value),
                  difference({}, created)};
  }));
  return boost::json::value(std::move(created));
}

Answer revoke_grant(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::GrantId>(request, 0, "grant"));
  boost::json::object revoked;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const TokenGrant before, grants::get(tx, id));
    DP_TRY(const TokenGrant after, grants::revoke(tx, id, webapi::now_ms(s)));
    revoked = grant_json(after);
    return Change{"token_grant.revoke", "token_grant", std::to_string(id.value),
                  difference(grant_json(before), revoked)};
  }));
  return boost::json::value(std::move(revoked));
}

}  // namespace

std::vector<http::Route> token_grant_routes(const Admin& admin) {
  const Services& s = admin.services;
  const auto at = webapi::blocking_with(s, std::cref(s));
  using webapi::kMaxBody;
  const std::string all = "/api/v1/admin/token-grants";
  return {
      {Method::get, all, Access::admin, kMaxBody, at(list_grants)},
      {Method::post, all, Access::admin, kMaxBody, at(create_grant)},
      {Method::del, all + "/{id}", Access::admin, kMaxBody, at(revoke_grant)},
  };
}

}  // namespace deeppool::adminapi
