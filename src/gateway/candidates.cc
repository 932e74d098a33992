#include "gateway/candidates.h"

#include <algorithm>

namespace deeppool::gateway {
namespace {

using provider::EndpointHealth;
using provider::Fault;
using Refusal = EndpointHealth::Refusal;
using std::chrono::milliseconds;

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      break;
    case Refusal::ejected:
      return "ejected";
    case Refusal::told_to_wait:
      return "told_to_wait";
    case Refusal::full:
      return "full";
  }
  return "";
}

milliseconds rounded_up(base::Duration d) {
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(d));
}

}  // namespace

Candidates::Candidates(Call& call, Ask ask)
    : call_(call),
      asked_(ask),
      began_(call.parts.clock.now()),
      now_(began_),
      retrying_(ask == Ask::once_more) {
  if (!retrying_) call_.parts.retries.earn();
}

Candidates::Chosen Candidates::next(const std::function<bool(const routing::Candidate&)>& fits) {
  const auto& plan = call_.plan.candidates;
  now_ = call_.parts.clock.now();
  if (call_.attempts >= kMaxAttempts || !in_time()) spent_ = true;
  while (!spent_ && position_ < plan.size()) {
    const routing::Candidate& candidate = plan[position_++];
    if (fits && !fits(candidate)) continue;
    const provider::Endpoint& endpoint = *candidate.endpoint;
    EndpointHealth::Entry entry = endpoint.health->enter(endpoint.max_inflight, now_);
    if (entry.slot) return ask(candidate, std::move(entry.slot));
    pass_over(candidate, entry);
  }
  return spent_ ? Chosen() : last_resort();
}

bool Candidates::in_time() const {
  const base::Duration limit = call_.view.stream ? kStreamFailoverTime : kWholeFailoverTime;
  return now_ - began_ < limit;
}

Candidates::Chosen Candidates::ask(const routing::Candidate& candidate,
                                   provider::EndpointSlot slot) {
  if (std::exchange(retrying_, true)) {
    const bool may = call_.parts.retries.spend();
    call_.parts.metrics.retries.with({may ? "sent" : "refused"}).add();
    if (!may) {
      spent_ = true;
      note(candidate, "no_retry_budget", {});
      return {};
    }
  }
  return take(candidate, std::move(slot));
}

Candidates::Chosen Candidates::take(const routing::Candidate& candidate,
                                    provider::EndpointSlot slot) {
  ++call_.attempts;
  // What was answered until now stays the work, and the price, of who answered it.
  if (asked_ == Ask::first) {
    call_.served = candidate.model;
    call_.endpoint = candidate.endpoint;
  }
  return {&candidate, std::move(slot), now_};
}

void Candidates::pass_over(const routing::Candidate& candidate,
                           const EndpointHealth::Entry& entry) {
  const std::string_view why = name_of(entry.refusal);
  note(candidate, why, {});
  call_.parts.metrics.endpoints_passed_over.with({why}).add();
  full_ = full_ || entry.refusal == Refusal::full;
  told_to_wait_ = told_to_wait_ || entry.refusal == Refusal::told_to_wait;
  if (entry.refusal == Refusal::full) return;
  // Who asked us to wait comes after all others.
  const Turn turn{entry.refusal == Refusal::told_to_wait, entry.until};
  if (soonest_ != nullptr && soonest_turn_ <= turn) return;
  soonest_ = &candidate;
  soonest_turn_ = turn;
}

Candidates::Chosen Candidates::last_resort() {
  if (soonest_ == nullptr) return {};
  const routing::Candidate& candidate = *std::exchange(soonest_, nullptr);
  const provider::Endpoint& endpoint = *candidate.endpoint;
  EndpointHealth::Entry entry =
      endpoint.health->enter(endpoint.max_inflight, now_, EndpointHealth::Insist::yes);
  if (!entry.slot) return {};
  call_.parts.metrics.endpoints_passed_over.with({"asked_though_ejected"}).add();
  return ask(candidate, std::move(entry.slot));
}

bool Candidates::hedges(const Chosen& chosen) const {
  const provider::Hedging& hedging = chosen.candidate->model->hedging;
  if (!hedging.budget) return false;
  hedging.budget->earn();
  // Two streams cannot feed one encoder before it is known which of them is the answer.
  return !call_.encoder && position_ < call_.plan.candidates.size() &&
         call_.attempts < kMaxAttempts;
}

Candidates::Chosen Candidates::hedge(const provider::Hedging& hedging) {
  const auto& plan = call_.plan.candidates;
  now_ = call_.parts.clock.now();
  EndpointHealth::Entry entry;
  while (!entry.slot && position_ < plan.size()) {
    const provider::Endpoint& endpoint = *plan[position_].endpoint;
    entry = endpoint.health->enter(endpoint.max_inflight, now_);
    if (!entry.slot) pass_over(plan[position_++], entry);
  }
  if (!entry.slot) return {};
  bool may = hedging.budget->spend();
  if (may && !call_.parts.retries.spend()) {
    hedging.budget->give_back();
    may = false;
  }
  if (may) return take(plan[position_++], std::move(entry.slot));
  call_.parts.metrics.hedges.with({"refused"}).add();
  return {};
}

void Candidates::outrun(Chosen& chosen) {
  const base::Instant now = call_.parts.clock.now();
  const routing::Candidate& candidate = *chosen.candidate;
  chosen.slot.outrun(now);
  chosen.slot.release();
  call_.parts.metrics.upstream_requests.with({candidate.endpoint->provider_type, "outrun"}).add();
  note(candidate, "outrun", now - chosen.since);
}

void Candidates::answered(Chosen& chosen) {
  const base::Instant now = call_.parts.clock.now();
  const routing::Candidate& candidate = *chosen.candidate;
  call_.served = candidate.model;
  call_.endpoint = candidate.endpoint;
  chosen.slot.succeeded(now);
  call_.parts.metrics.upstream_requests.with({candidate.endpoint->provider_type, "ok"}).add();
  if (!call_.tried.empty()) note(candidate, "ok", now - chosen.since);
}

bool Candidates::failed(Chosen& chosen, provider::Failure&& failure) {
  const base::Instant now = call_.parts.clock.now();
  const routing::Candidate& candidate = *chosen.candidate;
  const bool hopeless = failure.elsewhere == provider::Elsewhere::pointless;
  Error& error = failure.error;
  if (failure.fault) {
    std::optional<base::Duration> wait = error.retry_after;
    if (wait) wait = std::min(*wait, call_.parts.timeouts.longest_retry_after);
    chosen.slot.failed(*failure.fault, wait, now, call_.parts.random);
  } else if (hopeless && error.code != ErrorCode::cancelled) {
    chosen.slot.answered(now);
  }
  chosen.slot.release();
  const std::string_view outcome =
      failure.fault ? provider::to_string(*failure.fault) : base::to_string(error.code);
  call_.parts.metrics.upstream_requests
      .with({candidate.endpoint->provider_type, base::to_string(error.code)})
      .add();
  note(candidate, outcome, now - chosen.since);
  alike_ = alike_ && (!last_ || last_->code == error.code);
  last_.emplace(std::move(error));
  if (hopeless || call_.x.scope.cancelled()) {
    spent_ = true;
    position_ = call_.plan.candidates.size();
    verdict_is_last_ = true;
  }
  return !verdict_is_last_;
}

Error Candidates::verdict() const {
  Error told = failed_how();
  if (told.code == ErrorCode::rate_limited && !told.retry_after) {
    told.retry_after = soonest_readmission().value_or(kBusyRetryAfter);
  }
  return told;
}

Error Candidates::failed_how() const {
  if (!last_) return refusal();
  if (verdict_is_last_ || call_.plan.candidates.size() == 1) return *last_;
  // None of them can be told what the caller wants.
  if (alike_ && last_->code == ErrorCode::invalid_request) return *last_;
  // Several might have answered: which one failed how is for the log; when to come back is for the
  // caller.
  Error none = *last_;
  if (!alike_ || last_->code != ErrorCode::rate_limited) {
    none = Error(ErrorCode::no_backend, "No endpoint of this model could answer. Try again later.",
                 last_->detail);
  }
  none.retry_after = soonest_readmission();
  return none;
}

// Nobody was asked at all.
Error Candidates::refusal() const {
  const auto& plan = call_.plan.candidates;
  if (plan.empty()) {
    return Error(ErrorCode::no_backend, "No endpoint of this model is available.");
  }
  const auto limits = [&](const routing::Candidate& c) {
    return c.endpoint->health->view(now_).last_fault == Fault::rate_limited;
  };
  Error error(ErrorCode::no_backend, "No endpoint of this model can answer now. Try again later.",
              "all are ejected");
  if (told_to_wait_ && !full_ && std::ranges::all_of(plan, limits)) {
    error = Error(ErrorCode::rate_limited,
                  "The model's provider is limiting requests. Try again later.",
                  "within an earlier Retry-After");
  } else if (full_) {
    error = Error(ErrorCode::no_backend,
                  "All endpoints of this model have as many requests as they take. Try again in a "
                  "moment.",
                  "max_inflight is reached");
  }
  error.retry_after = full_ ? std::optional<milliseconds>(kBusyRetryAfter) : soonest_readmission();
  return error;
}

// Nothing if one of them may be asked now.
std::optional<milliseconds> Candidates::soonest_readmission() const {
  std::optional<milliseconds> soonest;
  for (const routing::Candidate& candidate : call_.plan.candidates) {
    const EndpointHealth::View view = candidate.endpoint->health->view(now_);
    if (view.standing != provider::Standing::ejected) return std::nullopt;
    const milliseconds wait = rounded_up(view.until - now_);
    if (!soonest || wait < *soonest) soonest = wait;
  }
  return soonest;
}

void Candidates::note(const routing::Candidate& candidate, std::string_view outcome,
                      base::Duration took) {
  if (call_.tried.size() >= kMaxAttemptNotes) return;
  call_.tried.push_back(
      {candidate.endpoint, outcome, std::chrono::duration_cast<milliseconds>(took).count()});
}

}  // namespace deeppool::gateway
