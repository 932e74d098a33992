#include "webapi/usage_query.h"

#include "governance/usage/usage_row.h"
#include "webapi/paging.h"
#include "webapi/usage_json.h"

namespace deeppool::webapi {
namespace {

using governance::GroupBy;
using governance::RequestFilter;
using governance::UsageFilter;

constexpr int64_t kDefaultDays = 30;  // what a first look at a console shows
constexpr int64_t kMaxDays = 400;     // a year and its neighbours; bounds what one query reads

// Whose usage: users see their own, whatever they ask for.
Result<std::optional<base::UserId>> user_of(const Request& request, Audience audience) {
  if (audience == Audience::user) return std::optional(request.user.id);
  DP_TRY(const auto id, integer_of(request, "user_id"));
  return id ? std::optional(base::UserId{*id}) : std::nullopt;
}

Result<std::optional<base::ApiKeyId>> key_of(const Request& request) {
  DP_TRY(const auto id, integer_of(request, "key_id"));
  return id ? std::optional(base::ApiKeyId{*id}) : std::nullopt;
}

}  // namespace

Result<UsageFilter> usage_filter_of(const UsageViews& views, const Request& request) {
  const int64_t today = governance::usage_day(now_ms(views.services));
  UsageFilter filter;
  DP_TRY(filter.user, user_of(request, views.audience));
  DP_TRY(filter.key, key_of(request));
  filter.model = request.query("model").value_or("");
  filter.source = request.query("source").value_or("");
  DP_TRY(filter.to_day, day_of(request, "to", today));
  DP_TRY(filter.from_day, day_of(request, "from", filter.to_day - kDefaultDays + 1));
  if (filter.from_day > filter.to_day || filter.to_day - filter.from_day >= kMaxDays) {
    return Error::invalid("from", "`from` must not be after `to`, and at most " +
                                      std::to_string(kMaxDays) + " days can be asked for.");
  }
  return filter;
}

Result<GroupBy> group_of(const Request& request, Audience audience) {
  const std::string name = request.query("group_by").value_or("day");
  if (name == "day") return GroupBy::day;
  if (name == "model") return GroupBy::model;
  if (name == "key") return GroupBy::key;
  if (name == "source") return GroupBy::source;
  if (audience == Audience::user) {
    return Error::invalid("group_by", "`group_by` must be day, model, key or source.");
  }
  if (name == "user") return GroupBy::user;
  return Error::invalid("group_by", "`group_by` must be day, model, key, source or user.");
}

Result<RequestFilter> request_filter_of(const UsageViews& views, const Request& request) {
  RequestFilter filter;
  DP_TRY(filter.user, user_of(request, views.audience));
  DP_TRY(filter.key, key_of(request));
  filter.model = request.query("model").value_or("");
  filter.outcome = request.query("outcome").value_or("");
  if (!filter.outcome.empty() && !governance::is_outcome(filter.outcome)) {
    return Error::invalid("outcome", "There is no such outcome; docs/who_pays.md lists them.");
  }
  DP_TRY(const auto from, integer_of(request, "from"));
  filter.from_ms = from.value_or(0);
  DP_TRY(filter.to_ms, integer_of(request, "to"));
  return filter;
}

Result<std::optional<base::RequestId>> cursor_of(const Request& request) {
  const auto text = request.query("cursor");
  if (!text) return std::optional<base::RequestId>();
  const auto id = base::RequestId::parse(*text);
  if (id) return id;
  return Error::invalid("cursor", "`cursor` must be the `next_cursor` of the page before.");
}

}  // namespace deeppool::webapi
