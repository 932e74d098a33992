#include "portalapi/usage.h"

#include "governance/usage/usage_row.h"
#include "webapi/handler.h"
#include "webapi/limits.h"
#include "webapi/paging.h"
#include "webapi/usage_json.h"

namespace deeppool::portalapi {
namespace {

using governance::ConsumptionRow;
using governance::GroupBy;
using governance::UsageFilter;
using webapi::Answer;
using webapi::Request;

constexpr int64_t kDefaultDays = 30;  // what a first look at a console shows
constexpr int64_t kMaxDays = 400;     // a year and its neighbours; bounds what one query reads

Result<int64_t> day_of(const Request& request, std::string_view name, int64_t otherwise) {
  const auto text = request.query(name);
  if (!text) return otherwise;
  const auto day = webapi::parse_day(*text);
  if (day) return *day;
  return Error::invalid(std::string(name),
                        "`" + std::string(name) + "` must be a day, such as 2026-01-31 (UTC).");
}

Result<UsageFilter> filter_of(const Portal& p, const Request& request) {
  const int64_t today = governance::usage_day(webapi::now_ms(p.services));
  UsageFilter filter;
  filter.user = request.user.id;
  filter.model = request.query("model").value_or("");
  DP_TRY(filter.to_day, day_of(request, "to", today));
  DP_TRY(filter.from_day, day_of(request, "from", filter.to_day - kDefaultDays + 1));
  if (filter.from_day > filter.to_day || filter.to_day - filter.from_day >= kMaxDays) {
    return Error::invalid("from", "`from` must not be after `to`, and at most " +
                                      std::to_string(kMaxDays) + " days can be asked for.");
  }
  // Another user's key has used nothing here, exactly like a missing one: the filter has the user.
  DP_TRY(const auto key, webapi::integer_of(request, "key_id"));
  if (key) filter.key = base::ApiKeyId{*key};
  return filter;
}

boost::json::object with_days(const UsageFilter& filter, boost::json::object out) {
  out["from"] = webapi::day_text(filter.from_day);
  out["to"] = webapi::day_text(filter.to_day);
  return out;
}

Answer summary(const Portal& p, const Request& request) {
  DP_TRY(const UsageFilter filter, filter_of(p, request));
  DP_TRY(const auto totals, p.usage.summary(filter));
  return boost::json::value(with_days(filter, webapi::totals_json(totals)));
}

Result<GroupBy> group_of(const Request& request) {
  const std::string name = request.query("group_by").value_or("day");
  if (name == "day") return GroupBy::day;
  if (name == "model") return GroupBy::model;
  if (name == "key") return GroupBy::key;
  return Error::invalid("group_by", "`group_by` must be day, model or key.");
}

boost::json::object row_json(GroupBy group, const ConsumptionRow& row) {
  boost::json::object out = webapi::totals_json(row.totals);
  if (group == GroupBy::day) out["day"] = webapi::day_text(row.day);
  if (group == GroupBy::model) out["model"] = row.model;
  if (group == GroupBy::key) out["key_id"] = row.key.value;
  return out;
}

Answer consumption(const Portal& p, const Request& request) {
  DP_TRY(const webapi::Paging paging, webapi::paging_of(request));
  DP_TRY(const UsageFilter filter, filter_of(p, request));
  DP_TRY(const GroupBy group, group_of(request));
  DP_TRY(const auto found, p.usage.consumption(filter, group, {paging.page, paging.size}));
  boost::json::array items;
  for (const ConsumptionRow& row : found.rows) items.push_back(row_json(group, row));
  boost::json::value page = webapi::page_of(paging, std::move(items), found.total);
  return boost::json::value(with_days(filter, std::move(page.get_object())));
}

}  // namespace

std::vector<http::Route> usage_routes(const Portal& p) {
  const auto at = [&p](auto work) {
    return webapi::blocking(p.services, [p, work](const Request& r) { return work(p, r); });
  };
  using http::Access;
  using http::Method;
  using webapi::kMaxBody;
  return {
      {Method::get, "/api/v1/usage/summary", Access::user, kMaxBody, at(summary)},
      {Method::get, "/api/v1/usage/consumption", Access::user, kMaxBody, at(consumption)},
  };
}

}  // namespace deeppool::portalapi
