#include "gateway/finish.h"

#include "base/text_buffer.h"
#include "gateway/idempotent.h"

namespace deeppool::gateway {
namespace {

// The label of all models that users made: their names are without number.
constexpr std::string_view kUsersModels = "(users' own)";
constexpr size_t kUsualLogFields = 480;  // bytes of describe_for_log, so that it allocates once

template <class Name>
void log_member(base::TextBuffer& out, const Name& name, std::string_view value) {
  out.put(",\"", name, "\":");
  out.put_json_string(value);
}

template <class Name>
void log_member(base::TextBuffer& out, const Name& name, int64_t value) {
  out.put(",\"", name, "\":", value);
}

// A word of ours: it needs no look for what must be escaped.
template <class Name>
void log_word(base::TextBuffer& out, const Name& name, std::string_view word) {
  out.put(",\"", name, "\":\"", word, '"');
}

// The child of a hybrid; empty: the model itself, or nobody.
std::string_view served_model(const Call& call) {
  if (call.served == nullptr || call.served == call.model) return {};
  return call.served->name;
}

// Which endpoint did what, in order.
void log_tried(base::TextBuffer& out, const Call& call) {
  out.put(",\"tried\":[");
  for (const AttemptNote& note : call.tried) {
    if (!out.view().ends_with('[')) out.put(',');
    out.put("{\"endpoint\":");
    out.put_json_string(note.endpoint->name);
    log_member(out, "outcome", note.outcome);
    log_member(out, "ms", note.ms);
    out.put('}');
  }
  out.put(']');
}

void describe_for_log(const Call& call, const Ending& e, const governance::Bill& bill) {
  base::TextBuffer& out = call.x.log_fields;
  out.reserve(kUsualLogFields);
  if (call.key != nullptr) {
    log_member(out, "key_id", call.key->id.value);
    log_member(out, "user_id", call.key->owner.value);
  }
  if (!call.view.model.empty()) log_member(out, "model", call.view.model);
  if (e.error) log_word(out, "error", base::to_string(*e.error));
  if (!call.recorded) return;  // refused before anything was spent
  const std::string_view served = served_model(call);
  if (!served.empty()) log_member(out, "served_model", served);
  if (call.endpoint != nullptr) log_member(out, "endpoint", call.endpoint->name);
  out.put(",\"stream\":", call.view.stream ? std::string_view("true") : "false");
  log_member(out, "attempts", call.attempts);
  if (!call.tried.empty()) log_tried(out, call);
  if (!call.seams.empty()) log_member(out, "seams", static_cast<int64_t>(call.seams.size()));
  log_member(out, "first_token_ms", call.first_token_ms);
  log_member(out, "prompt_tokens", e.usage.prompt_tokens);
  log_member(out, "cached_tokens", e.usage.cached_tokens);
  log_member(out, "completion_tokens", e.usage.completion_tokens);
  log_member(out, "reasoning_tokens", e.usage.reasoning_tokens);
  base::Money::Buffer cost;
  log_word(out, "cost", bill.charged.write(cost));
  if (e.deviates) out.put(",\"deviates\":true");
  log_word(out, "usage_source",
           e.usage.source == llm::Usage::Source::upstream ? "upstream" : "estimated");
  log_word(out, "result", governance::to_string(e.outcome));
  if (!e.finish_reason.empty()) log_member(out, "finish_reason", e.finish_reason);
}

void count(const Call& call, const Ending& e, const governance::Bill& bill) {
  metrics::LoopMetrics& m = call.parts.metrics;
  if (e.error) m.errors.with({base::to_string(*e.error)}).add();
  if (e.error == ErrorCode::rate_limited && call.attempts == 0) {
    m.ratelimit_rejected.with({"rate"}).add();
  }
  if (e.error == ErrorCode::insufficient_quota) m.ratelimit_rejected.with({"quota"}).add();
  if (call.model == nullptr) return;  // no label from a caller's words
  const std::string_view name = call.model->owner ? kUsersModels : call.model->name;
  auto& series = m.models.with({call.protocol.metric, name, call.model->provider_type});
  series.by_status_class[metrics::status_class(e.status)].add();
  series.duration.observe(call.parts.clock.now() - call.x.started);
  if (call.first_token_ms >= 0) {
    series.first_token.observe(std::chrono::milliseconds(call.first_token_ms));
  }
  using metrics::TokenType;
  series.count_tokens(TokenType::input, e.usage.prompt_tokens);
  series.count_tokens(TokenType::cached, e.usage.cached_tokens);
  series.count_tokens(TokenType::cache_write, e.usage.cache_write_tokens);
  series.count_tokens(TokenType::output, e.usage.completion_tokens);
  series.count_tokens(TokenType::reasoning, e.usage.reasoning_tokens);
  if (bill.charged > base::Money()) {
    series.charged_units.add(static_cast<uint64_t>(bill.charged.units()));
  }
  if (e.deviates) series.odd_counts.add();
}

void append_final(Call& call, const Ending& e, const governance::Bill& bill) {
  governance::FinalRecord record;
  record.request_id = call.x.id;
  record.user = call.key->owner;
  record.key = call.key->id;
  if (call.endpoint != nullptr) record.endpoint = call.endpoint->id;
  record.model = call.view.model;
  record.api = call.protocol.recorded;
  record.outcome = e.outcome;
  record.stream = call.view.stream;
  record.status = e.status;
  const int64_t elapsed = call.elapsed_ms();
  record.started_at_ms = base::unix_ms(call.parts.clock.wall()) - elapsed;
  record.duration_ms = elapsed;
  record.first_token_ms = call.first_token_ms;
  record.usage = e.usage;
  record.attempts = call.attempts;
  if (e.error) record.error_code = base::to_string(*e.error);
  record.upstream_request_id = call.upstream_request_id;
  record.bill = bill;
  record.quota_leased = call.hold.quota_tokens().has_value();
  record.deviates = e.deviates;
  record.served_model = served_model(call);
  call.parts.writer.append_final(record);
}

}  // namespace

Call::Call(Parts& p, http::Exchange& exchange, const Protocol& spoken)
    : parts(p), x(exchange), protocol(spoken), api(spoken.api) {}

int64_t Call::elapsed_ms() const {
  const auto elapsed = parts.clock.now() - x.started;
  return std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
}

// Only a bug (an escaped exception) leads here unfinished: nothing is charged, nothing stays held.
Call::~Call() {
  if (!recorded || finished) return;
  Ending bug;
  bug.outcome = governance::Outcome::rejected;
  bug.status = 500;
  bug.error = ErrorCode::internal;
  finish(*this, bug);
}

void finish(Call& call, const Ending& ending) {
  if (call.finished) return;
  call.finished = true;
  governance::Bill bill;
  if (call.recorded) {
    bill = ending.bill ? *ending.bill : bill_for(call, ending.usage);
    append_final(call, ending, bill);
  }
  call.permit.settle(ending.usage.total());
  call.hold.settle(ending.usage.total(), bill.charged);
  call.slot.release();
  describe_for_log(call, ending, bill);
  count(call, ending, bill);
}

void record_progress(Call& call, const llm::Usage& usage) {
  // Killed now, it would be charged for a part and then, repeated, for the whole.
  if (call.idempotent) return;
  governance::ProgressRecord record;
  record.request_id = call.x.id;
  if (call.endpoint != nullptr) record.endpoint = call.endpoint->id;
  record.usage = usage;
  record.duration_ms = call.elapsed_ms();
  record.bill = bill_for(call, usage);
  record.served_model = served_model(call);
  call.parts.writer.append_progress(record);
}

}  // namespace deeppool::gateway
