#include "webapi/usage_views.h"

#include "governance/limits.h"
#include "webapi/csv.h"
#include "webapi/paging.h"
#include "webapi/usage_csv.h"
#include "webapi/usage_json.h"
#include "webapi/usage_query.h"

namespace deeppool::webapi {
namespace {

using governance::ConsumptionRow;
using governance::GroupBy;
using governance::kMaxExportPage;
using governance::RequestEntry;
using governance::RequestFilter;
using governance::RequestPage;
using governance::UsageFilter;

boost::json::object with_days(const UsageFilter& filter, boost::json::object out) {
  out["from"] = day_text(filter.from_day);
  out["to"] = day_text(filter.to_day);
  return out;
}

Answer summary_json(const UsageViews& v, const Request& request) {
  DP_TRY(const UsageFilter filter, usage_filter_of(v, request));
  DP_TRY(const auto totals, v.usage.summary(filter));
  return boost::json::value(with_days(filter, totals_json(totals)));
}

Result<CsvExport> summary_csv(const UsageViews& v, const Request& request) {
  DP_TRY(const UsageFilter filter, usage_filter_of(v, request));
  auto next = [v, filter, sent = false]() mutable -> CsvPage {
    if (std::exchange(sent, true)) return std::optional<std::string>();
    DP_TRY(const auto totals, v.usage.summary(filter));
    CsvText csv;
    csv.cell("from");
    csv.cell("to");
    add_totals_names(csv);
    csv.cell(day_text(filter.from_day));
    csv.cell(day_text(filter.to_day));
    add_totals(csv, totals);
    return std::optional(csv.take());
  };
  return CsvExport{"usage-summary.csv", std::move(next)};
}

Answer consumption_json(const UsageViews& v, const Request& request) {
  DP_TRY(const Paging paging, paging_of(request));
  DP_TRY(const UsageFilter filter, usage_filter_of(v, request));
  DP_TRY(const GroupBy group, group_of(request, v.audience));
  DP_TRY(const auto found, v.usage.consumption(filter, group, {paging.page, paging.size}));
  boost::json::array items;
  for (const ConsumptionRow& row : found.rows) {
    boost::json::object item = totals_json(row.totals);
    item[group_name(group)] = group_value(group, row);
    items.push_back(std::move(item));
  }
  boost::json::value page = page_of(paging, std::move(items), found.total);
  return boost::json::value(with_days(filter, std::move(page.get_object())));
}

// Its pages are cut from one order, which usage that comes in meanwhile may change; days, and
// what fits one page, are not touched by that.
Result<CsvExport> consumption_csv(const UsageViews& v, const Request& request) {
  DP_TRY(const UsageFilter filter, usage_filter_of(v, request));
  DP_TRY(const GroupBy group, group_of(request, v.audience));
  auto next = [v, filter, group, page = int64_t{1}, ended = false]() mutable -> CsvPage {
    if (ended) return std::optional<std::string>();
    const int64_t number = page++;
    DP_TRY(const auto found, v.usage.consumption(filter, group, {number, kMaxExportPage}));
    CsvText csv;
    if (number == 1) {
      csv.cell(group_name(group));
      add_totals_names(csv);
    }
    for (const ConsumptionRow& row : found.rows) {
      add_group(csv, group, row);
      add_totals(csv, row.totals);
    }
    ended = std::ssize(found.rows) < kMaxExportPage;
    return std::optional(csv.take());
  };
  return CsvExport{"usage-by-" + std::string(group_name(group)) + ".csv", std::move(next)};
}

Result<RequestPage> page_of_requests(const UsageViews& v, const RequestFilter& filter,
                                     std::optional<base::RequestId> after, int64_t size) {
  DP_TRY(auto reader, v.services.database.read());
  return governance::list_requests(reader, filter, after, size);
}

Answer requests_json(const UsageViews& v, const Request& request) {
  DP_TRY(const Paging paging, paging_of(request));
  DP_TRY(const RequestFilter filter, request_filter_of(v, request));
  DP_TRY(const auto cursor, cursor_of(request));
  DP_TRY(const RequestPage page, page_of_requests(v, filter, cursor, paging.size));
  boost::json::array items;
  for (const RequestEntry& entry : page.entries) items.push_back(request_json(entry, v.audience));
  boost::json::value next;
  if (page.next) next = page.next->to_string();
  return boost::json::value{
      {"items", std::move(items)}, {"next_cursor", next}, {"page_size", paging.size}};
}

Result<CsvExport> requests_csv(const UsageViews& v, const Request& request) {
  DP_TRY(const RequestFilter filter, request_filter_of(v, request));
  DP_TRY(auto cursor, cursor_of(request));
  auto next = [v, filter, cursor, begun = false, ended = false]() mutable -> CsvPage {
    if (ended) return std::optional<std::string>();
    CsvText csv;
    if (!std::exchange(begun, true)) add_request_names(csv, v.audience);
    DP_TRY(const RequestPage page, page_of_requests(v, filter, cursor, kMaxExportPage));
    for (const RequestEntry& entry : page.entries) add_request(csv, entry, v.audience);
    cursor = page.next;
    ended = !page.next;
    return std::optional(csv.take());
  };
  return CsvExport{"usage-requests.csv", std::move(next)};
}

http::Handler handler(const UsageViews& v, Answer (*json)(const UsageViews&, const Request&),
                      Result<CsvExport> (*csv)(const UsageViews&, const Request&)) {
  return json_or_csv(
      v.services, [v, json](const Request& r) { return json(v, r); },
      [v, csv](const Request& r) { return csv(v, r); });
}

}  // namespace

http::Handler usage_summary(const UsageViews& views) {
  return handler(views, summary_json, summary_csv);
}

http::Handler usage_consumption(const UsageViews& views) {
  return handler(views, consumption_json, consumption_csv);
}

http::Handler usage_requests(const UsageViews& views) {
  return handler(views, requests_json, requests_csv);
}

}  // namespace deeppool::webapi
