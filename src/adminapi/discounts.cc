#include "adminapi/discounts.h"

#include "adminapi/audited_change.h"
#include "adminapi/limits.h"
#include "governance/discounts/discount_store.h"
#include "governance/pricing/charge.h"
#include "identity/user_store.h"
#include "webapi/envelope.h"
#include "webapi/fields.h"
#include "webapi/limits.h"
#include "webapi/paging.h"

namespace deeppool::adminapi {
namespace {

namespace discounts = governance::discounts;
using governance::Discount;
using http::Access;
using http::Method;
using webapi::Answer;
using webapi::Fields;
using webapi::or_null;
using webapi::Request;
using webapi::Services;

boost::json::object discount_json(const Discount& d) {
  boost::json::object out{{"id", d.id.value},
                          {"user_id", nullptr},
                          {"discount_ppm", d.ppm},
                          {"starts_at", d.starts_at_ms},
                          {"ends_at", or_null(d.ends_at_ms)},
                          {"remark", d.remark},
                          {"created_at", d.created_at_ms},
                          {"revoked_at", or_null(d.revoked_at_ms)}};
  if (d.user) out["user_id"] = d.user->value;
  return out;
}

Answer list_discounts(const Services& s, const Request& request) {
  DP_TRY(const webapi::SearchPaging paging, webapi::search_paging_of(request));
  discounts::Search wanted{
      .keyword = paging.keyword, .limit = paging.size, .offset = paging.offset()};
  DP_TRY(const auto user, webapi::integer_of(request, "user_id"));
  if (user) wanted.user = base::UserId{*user};
  DP_TRY(const auto in_force, webapi::flag_of(request, "in_force"));
  if (in_force.value_or(false)) wanted.in_force_ms = webapi::now_ms(s);
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const auto found, discounts::search(reader, wanted));
  boost::json::array items;
  for (const Discount& discount : found.discounts) items.push_back(discount_json(discount));
  return webapi::page_of(paging, std::move(items), found.total);
}

Result<discounts::NewDiscount> read_discount(const Services& s, const Request& request) {
  discounts::NewDiscount out;
  out.now_ms = webapi::now_ms(s);
  out.created_by = request.user.id;
  Fields body(request.body);
  const auto user = body.nullable_integer("user_id", {.min = 1}).value_or(std::nullopt);
  if (user) out.user = base::UserId{*user};
  if (!body.given("discount_ppm")) {
    body.fail(Error::invalid("discount_ppm",
                             "`discount_ppm` is required: parts per million of the price that are "
                             "taken off, 200000 for 20 %."));
  }
  out.ppm = body.integer("discount_ppm", {.min = 1, .max = governance::kMillion}).value_or(0);
  out.starts_at_ms = body.integer("starts_at", {.min = 0}).value_or(out.now_ms);
  out.ends_at_ms = body.nullable_integer("ends_at", {.min = 0}).value_or(std::nullopt);
  out.remark = body.text("remark", {.max = kMaxRemarkBytes}).value_or("");
  if (out.ends_at_ms && (*out.ends_at_ms <= out.starts_at_ms || *out.ends_at_ms <= out.now_ms)) {
    body.fail(Error::invalid("ends_at", "`ends_at` must be after `starts_at` and in the future."));
  }
  DP_CHECK(body.finish());
  return out;
}

Answer create_discount(const Services& s, const Request& request) {
  DP_TRY(const discounts::NewDiscount wanted, read_discount(s, request));
  boost::json::object created;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    if (wanted.user) DP_CHECK(identity::users::get(tx, *wanted.user));
    DP_TRY(const base::DiscountId id, discounts::create(tx, wanted));
    DP_TRY(const Discount discount, discounts::get(tx, id));
    created = discount_json(discount);
    return Change{"discount.create", "discount", std::to_string(id.value), difference({}, created)};
  }));
  return boost::json::value(std::move(created));
}

Answer revoke_discount(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::DiscountId>(request, 0, "discount"));
  boost::json::object revoked;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const Discount before, discounts::get(tx, id));
    DP_TRY(const Discount after, discounts::revoke(tx, id, webapi::now_ms(s)));
    revoked = discount_json(after);
    return Change{"discount.revoke", "discount", std::to_string(id.value),
                  difference(discount_json(before), revoked)};
  }));
  return boost::json::value(std::move(revoked));
}

}  // namespace

std::vector<http::Route> discount_routes(const Admin& admin) {
  const Services& s = admin.services;
  const auto at = webapi::blocking_with(s, std::cref(s));
  using webapi::kMaxBody;
  const std::string all = "/api/v1/admin/discounts";
  return {
      {Method::get, all, Access::admin, kMaxBody, at(list_discounts)},
      {Method::post, all, Access::admin, kMaxBody, at(create_discount)},
      {Method::del, all + "/{id}", Access::admin, kMaxBody, at(revoke_discount)},
  };
}

}  // namespace deeppool::adminapi
