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
  hold.user = r.user;
  hold.key = r.key;
  hold.price = r.price;
  hold.held = {r.held_tokens, r.held_money};
  hold.started_at_ms = r.started_at_ms;
  hold.model = column_text(r.model);
  hold.api = r.api;
  hold.source = r.source;
  hold.stream = r.stream;
  hold.quota_leased = r.quota_leased;
  return hold;
}

void note_progress(OpenHold& hold, const ProgressRecord& r) {
  if (!hold.progress) hold.progress = std::make_unique<OpenHold::Progress>();
  OpenHold::Progress& last = *hold.progress;
  if (r.endpoint) last.endpoint = r.endpoint;
  last.duration_ms = r.duration_ms;
  last.usage = column_usage(r.usage);
  last.bill = column_bill(r.bill);
  last.served_model = column_text(r.served_model);
}

UsageRow crash_row(const base::RequestId& id, OpenHold hold) {
  UsageRow row;
  row.request_id = id;
  row.user = hold.user;
  row.key = hold.key;
  row.model = std::move(hold.model);
  row.api = hold.api;
  row.source = hold.source;
  row.outcome = Outcome::crash_settled;
  row.stream = hold.stream;
  row.started_at_ms = hold.started_at_ms;
  row.quota_leased = hold.quota_leased;
  row.held = hold.held;
  row.usage.source = llm::Usage::Source::estimated;
  row.bill.price = hold.price;
  if (!hold.progress) return row;
  OpenHold::Progress& last = *hold.progress;
  row.endpoint = last.endpoint;
  row.duration_ms = last.duration_ms;
  row.usage = last.usage;
  row.bill = last.bill;
  row.served_model = std::move(last.served_model);
  return row;
}

int64_t usage_day(int64_t unix_ms) {
  constexpr int64_t kDayMs = 86'400'000;
  return unix_ms >= 0 ? unix_ms / kDayMs : -((-unix_ms + kDayMs - 1) / kDayMs);
}

}  // namespace deeppool::governance
