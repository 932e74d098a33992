#include "governance/usage/request_log.h"

#include <algorithm>

#include "governance/limits.h"
#include "governance/spool/record.h"

// The columns of RequestEntry, in its order.
#define DP_REQUEST_COLUMNS                                                                   \
  "SELECT request_id, user_id, key_id, endpoint_id, model_name, api, source, outcome,"       \
  " usage_source, error_code, upstream_request_id, status, stream, started_at, duration_ms," \
  " first_token_ms, prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens,"    \
  " reasoning_tokens, attempts, price_id, grant_tokens, discount_ppm, charged, deviates,"    \
  " served_model"
// Each scope has its own text, because each has its own index.
#define DP_OF_KEY " FROM usage_records WHERE key_id = ? AND (? = 0 OR user_id = ?)"
#define DP_OF_USER " FROM usage_records WHERE user_id = ?"
#define DP_OF_ALL " FROM usage_records WHERE 1 = 1"
#define DP_FLOOR(scope)     \
  "SELECT request_id" scope \
  " AND request_id < ? AND request_id >= ? ORDER BY request_id DESC LIMIT 1 OFFSET ?"
#define DP_PAGE(scope)                                                         \
  DP_REQUEST_COLUMNS scope                                                     \
      " AND request_id < ? AND request_id >= ? AND (? = '' OR model_name = ?)" \
      " AND (? = '' OR outcome = ?) ORDER BY request_id DESC LIMIT ?"

namespace deeppool::governance {
namespace {

using base::RequestId;

// Ids from `low` up to, not including, `high`.
struct Span {
  RequestId low;
  RequestId high;
};

Span span_of(const RequestFilter& f, std::optional<RequestId> after) {
  Span span{RequestId::first_of(f.from_ms),
            f.to_ms ? RequestId::first_of(*f.to_ms) : RequestId::last()};
  if (after) span.high = std::min(span.high, *after);
  return span;
}

Result<std::optional<RequestId>> floor_of(sql::Reader& r, const RequestFilter& f,
                                          const Span& span) {
  constexpr int64_t kSkip = kMaxRequestsLookedThrough - 1;
  if (f.key) {
    const base::UserId user = f.user.value_or(base::UserId{});
    return r.query_one<RequestId>(DP_FLOOR(DP_OF_KEY), *f.key, user, user, span.high, span.low,
                                  kSkip);
  }
  if (f.user) {
    return r.query_one<RequestId>(DP_FLOOR(DP_OF_USER), *f.user, span.high, span.low, kSkip);
  }
  return r.query_one<RequestId>(DP_FLOOR(DP_OF_ALL), span.high, span.low, kSkip);
}

Result<std::vector<RequestEntry>> entries_of(sql::Reader& r, const RequestFilter& f,
                                             const Span& span, int64_t size) {
  if (f.key) {
    const base::UserId user = f.user.value_or(base::UserId{});
    return r.query<RequestEntry>(DP_PAGE(DP_OF_KEY), *f.key, user, user, span.high, span.low,
                                 f.model, f.model, f.outcome, f.outcome, size);
  }
  if (f.user) {
    return r.query<RequestEntry>(DP_PAGE(DP_OF_USER), *f.user, span.high, span.low, f.model,
                                 f.model, f.outcome, f.outcome, size);
  }
  return r.query<RequestEntry>(DP_PAGE(DP_OF_ALL), span.high, span.low, f.model, f.model, f.outcome,
                               f.outcome, size);
}

}  // namespace

RequestEntry RequestEntry::from_row(const sql::Row& row) {
  RequestEntry e;
  row.into(e.id, e.user, e.key, e.endpoint, e.model, e.api, e.source, e.outcome, e.usage_source,
           e.error_code, e.upstream_request_id, e.status, e.stream, e.started_at_ms, e.duration_ms,
           e.first_token_ms, e.prompt_tokens, e.cached_tokens, e.cache_write_tokens,
           e.completion_tokens, e.reasoning_tokens, e.attempts, e.price, e.grant_tokens,
           e.discount_ppm, e.charged, e.deviates, e.served_model);
  return e;
}

Result<RequestPage> list_requests(sql::Reader& reader, const RequestFilter& filter,
                                  std::optional<RequestId> after, int64_t size) {
  size = std::clamp<int64_t>(size, 1, kMaxExportPage);
  Span span = span_of(filter, after);
  RequestPage page;
  const bool searches = !filter.model.empty() || !filter.outcome.empty();
  if (searches) {
    DP_TRY(page.next, floor_of(reader, filter, span));
    if (page.next) span.low = *page.next;
  }
  DP_TRY(page.entries, entries_of(reader, filter, span, size + 1));
  if (std::ssize(page.entries) > size) {
    page.entries.resize(static_cast<size_t>(size));
    page.next = page.entries.back().id;
  }
  return page;
}

bool is_outcome(std::string_view name) {
  for (int i = 1; i <= static_cast<int>(Outcome::crash_settled); ++i) {
    if (name == to_string(static_cast<Outcome>(i))) return true;
  }
  return false;
}

}  // namespace deeppool::governance
