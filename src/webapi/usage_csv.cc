#include "webapi/usage_csv.h"

namespace deeppool::webapi {
namespace {

using governance::ConsumptionRow;
using governance::GroupBy;
using governance::RequestEntry;
using governance::UsageTotals;

template <class... Cells>
void add_cells(CsvText& csv, const Cells&... cells) {
  (csv.cell(cells), ...);
}

template <class T>
std::string text_of(const std::optional<T>& number) {
  return number ? std::to_string(*number) : std::string();
}

std::string_view word(bool flag) {
  return flag ? "true" : "false";
}

}  // namespace

void add_totals_names(CsvText& csv) {
  csv.row({"requests", "prompt_tokens", "input_tokens", "cached_tokens", "cache_write_tokens",
           "completion_tokens", "reasoning_tokens", "total_tokens", "cost_yuan"});
}

void add_totals(CsvText& csv, const UsageTotals& t) {
  add_cells(csv, t.requests, t.prompt_tokens, input_tokens(t), t.cached_tokens,
            t.cache_write_tokens, t.completion_tokens, t.reasoning_tokens,
            t.prompt_tokens + t.completion_tokens, t.charged.to_string());
  csv.end_row();
}

void add_group(CsvText& csv, GroupBy group, const ConsumptionRow& row) {
  switch (group) {
    case GroupBy::day:
      return csv.cell(day_text(row.day));
    case GroupBy::model:
      return csv.cell(row.model);
    case GroupBy::key:
      return csv.cell(row.key.value);
    case GroupBy::source:
      return csv.cell(row.source);
    case GroupBy::user:
      return csv.cell(row.user.value);
  }
}

void add_request_names(CsvText& csv, Audience audience) {
  if (audience == Audience::admin) {
    add_cells(csv, "user_id", "endpoint_id", "upstream_request_id", "deviates");
  }
  csv.row({"request_id",
           "started_at",
           "key_id",
           "model",
           "served_model",
           "api",
           "source",
           "outcome",
           "error_code",
           "status",
           "stream",
           "duration_ms",
           "first_token_ms",
           "attempts",
           "prompt_tokens",
           "input_tokens",
           "cached_tokens",
           "cache_write_tokens",
           "completion_tokens",
           "reasoning_tokens",
           "usage_source",
           "price_id",
           "grant_tokens",
           "discount_ppm",
           "cost_yuan"});
}

void add_request(CsvText& csv, const RequestEntry& e, Audience audience) {
  if (audience == Audience::admin) {
    const std::string endpoint = e.endpoint ? std::to_string(e.endpoint->value) : "";
    add_cells(csv, e.user.value, endpoint, e.upstream_request_id, word(e.deviates));
  }
  const std::string price = e.price ? std::to_string(e.price->value) : "";
  add_cells(csv, e.id.to_string(), e.started_at_ms, e.key.value, e.model,
            e.served_model.empty() ? e.model : e.served_model, e.api, e.source, e.outcome,
            e.error_code, e.status, word(e.stream), e.duration_ms, text_of(e.first_token_ms),
            e.attempts, e.prompt_tokens, input_tokens(e), e.cached_tokens, e.cache_write_tokens,
            e.completion_tokens, e.reasoning_tokens, e.usage_source, price, e.grant_tokens,
            e.discount_ppm, e.charged.to_string());
  csv.end_row();
}

}  // namespace deeppool::webapi
