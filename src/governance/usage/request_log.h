// Single requests as usage pages list them: newest first, in pages behind a cursor (the id of the
// last request seen), so that a page costs the same however deep it is. Reads usage_records.
// Blocking; for blocking pools only. Times are those of the ids (UUIDv7): when a request came in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/money.h"
#include "sql/session.h"

namespace deeppool::governance {

struct RequestEntry {
  base::RequestId id;
  base::UserId user;
  base::ApiKeyId key;
  std::optional<base::EndpointId> endpoint;
  std::string model, api, source, outcome, usage_source, error_code, upstream_request_id;
  int64_t status = 0;
  bool stream = false;
  int64_t started_at_ms = 0;
  int64_t duration_ms = 0;
  std::optional<int64_t> first_token_ms;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;
  int64_t cache_write_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t reasoning_tokens = 0;
  int64_t attempts = 0;
  std::optional<base::PriceId> price;
  int64_t grant_tokens = 0;
  int64_t discount_ppm = 0;
  base::Money charged;
  bool deviates = false;
  std::string served_model;  // the child of a hybrid that answered; empty: `model` itself

  static RequestEntry from_row(const sql::Row& row);
};

// Unset and empty: all.
struct RequestFilter {
  std::optional<base::UserId> user;
  std::optional<base::ApiKeyId> key;
  std::string model;
  std::string outcome;           // to_string(Outcome)
  int64_t from_ms = 0;           // unix
  std::optional<int64_t> to_ms;  // exclusive
};

struct RequestPage {
  std::vector<RequestEntry> entries;
  // Where the next page begins; nothing at the end. A page may be short, even empty, and still have
  // a next one: it looks through kMaxRequestsLookedThrough requests at most.
  std::optional<base::RequestId> next;
};

// `size` is at most kMaxExportPage; `after` is the `next` of the page before.
Result<RequestPage> list_requests(sql::Reader& reader, const RequestFilter& filter,
                                  std::optional<base::RequestId> after, int64_t size);

bool is_outcome(std::string_view name);

}  // namespace deeppool::governance
