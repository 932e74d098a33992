#include "governance/usage/usage_row.h"

#include <algorithm>

#include "base/text.h"
#include "governance/limits.h"
#include "governance/pricing/charge.h"

namespace deeppool::governance {
namespace {

std::string column_text(std::string_view text) {
  return base::valid_utf8(text) ? std::string(text) : std::string();
}

// No sum of rows may overflow, whatever a record says.
llm::Usage column_usage(llm::Usage usage) {
  for (int64_t* count :
       {&usage.prompt_tokens, &usage.completion_tokens, &usage.cached_tokens,
        &usage.cache_write_tokens, &usage.reasoning_tokens, &usage.image_input_tokens,
        &usage.audio_input_tokens, &usage.image_output_tokens, &usage.audio_output_tokens}) {
    *count = std::clamp<int64_t>(*count, 0, kMaxRequestTokens);
  }
  return usage;
}

// A charge below zero is none, and a part of no tokens uses no grant.
Bill column_bill(const Bill& bill) {
  Bill out;
  out.price = bill.price;
  out.charged = std::max(bill.charged, base::Money());
  out.discount_ppm = std::clamp<int64_t>(bill.discount_ppm, 0, kMillion);
  for (const GrantPart& part : bill.grants.list()) {
    if (!part.grant || part.tokens <= 0) continue;
    out.grants.add({part.grant, std::min(part.tokens, kMaxRequestTokens)});
  }
  return out;
}

}  // namespace

UsageRow usage_row(const FinalRecord& r) {
  UsageRow row;
  row.request_id = r.request_id;
  row.user = r.user;
  row.key = r.key;
  if (r.endpoint) row.endpoint = r.endpoint;
  row.model = column_text(r.model);
  row.api = r.api;
  row.source = r.source;
  row.outcome = r.outcome;
  row.stream = r.stream;
  row.status = r.status;
  row.started_at_ms = r.started_at_ms;
  row.duration_ms = r.duration_ms;
  if (r.first_token_ms >= 0) row.first_token_ms = r.first_token_ms;
  row.usage = column_usage(r.usage);
  row.attempts = r.attempts;
  row.error_code = column_text(r.error_code);
  row.upstream_request_id = column_text(r.upstream_request_id);
  row.bill = column_bill(r.bill);
  row.quota_leased = r.quota_leased;
  row.deviates = r.deviates;
  row.served_model = column_text(r.served_model);
  return row;
}

OpenHold open_hold(const HoldRecord& r, int64_t segment) {
  OpenHold hold;
  hold.segment = segment;
  hold.row.request_id = r.request_id;
  hold.row.user = r.user;
  hold.row.key = r.key;
  hold.row.model = column_text(r.model);
  hold.row.api = r.api;
  hold.row.source = r.source;
  hold.row.outcome = Outcome::crash_settled;
  hold.row.stream = r.stream;
  hold.row.started_at_ms = r.started_at_ms;
  hold.row.usage.source = llm::Usage::Source::estimated;
  hold.row.bill.price = r.price;
  hold.row.quota_leased = r.quota_leased;
  hold.row.held = {r.held_tokens, r.held_money};
  return hold;
}

void note_progress(OpenHold& hold, const ProgressRecord& r) {
  if (r.endpoint) hold.row.endpoint = r.endpoint;
  hold.row.usage = column_usage(r.usage);
  hold.row.duration_ms = r.duration_ms;
  hold.row.served_model = column_text(r.served_model);
  hold.row.bill = column_bill(r.bill);
}

int64_t usage_day(int64_t unix_ms) {
  constexpr int64_t kDayMs = 86'400'000;
  return unix_ms >= 0 ? unix_ms / kDayMs : -((-unix_ms + kDayMs - 1) / kDayMs);
}

}  // namespace deeppool::governance
