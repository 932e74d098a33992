#include "gateway/funding.h"

#include <algorithm>

#include "governance/pricing/charge.h"

namespace deeppool::gateway {
namespace {

using governance::Covered;
using governance::Demand;

bool limited(const Call& call) {
  return call.key->quota_total >= 0 || !call.model->price.free();
}

// Counted, if that is quick. An upstream with another tokenizer may still count more.
int64_t likely_prompt(const Call& call) {
  const int64_t most = call.view.most_prompt_tokens();
  if (call.x.body.size() > kCountedBodyBytes) return most / 2;
  const auto& tokenizer = call.parts.tokenizers.for_model(call.view.model);
  return std::min(most, llm::count_prompt_tokens(call.api, call.x.body, tokenizer));
}

// Whether the upstream is given a bound that the caller did not set: somebody pays for the answer,
// and it cannot be watched growing (reasoning may not be shown).
bool needs_injection(const Call& call) {
  const bool watched = call.view.stream && !call.model->supports_reasoning;
  return !watched && !call.view.max_tokens && call.api != llm::Api::embeddings && limited(call);
}

// Of one choice.
int64_t most_output(const Call& call) {
  if (call.api == llm::Api::embeddings) return 0;
  int64_t tokens = kAssumedOutputTokens;
  if (needs_injection(call)) tokens = kInjectedOutputTokens;
  tokens = call.view.max_tokens.value_or(tokens);
  const int64_t cap = call.model->max_output_tokens;
  if (cap == 0) return tokens;
  return needs_injection(call) ? cap : std::min(tokens, cap);
}

Demand demand_for(const Call& call, int64_t output) {
  Demand demand;
  demand.user = call.key->owner;
  demand.key = call.key->id;
  demand.quota_total = call.key->quota_total;
  demand.tokens = call.bound.prompt + output;
  if (!call.model->price.free()) {
    demand.cost = governance::bound(call.model->price.tiers, call.bound.prompt, output);
  }
  return demand;
}

void set_bound(Call& call) {
  const int64_t each = most_output(call);
  call.bound.prompt = call.view.most_prompt_tokens();
  call.bound.output = each * call.view.n;
  call.bound.injected = needs_injection(call) ? each : 0;
}

// After a refusal: first the prompt as it most likely is, then shorter and shorter answers, where
// the length is ours to set. False when nothing is left to try.
bool lower_bound(Call& call) {
  if (!call.bound.counted) {
    call.bound.counted = true;
    call.bound.prompt = likely_prompt(call);
    return true;
  }
  if (call.bound.injected <= kAssumedOutputTokens) return false;
  call.bound.injected = std::max(call.bound.injected / 2, kAssumedOutputTokens);
  call.bound.output = call.bound.injected * call.view.n;
  return true;
}

bool spent(const Error& error) {
  return error.code == ErrorCode::insufficient_quota;
}

}  // namespace

Result<Covered> hold_funds(Call& call) {
  set_bound(call);
  while (true) {
    auto held = call.parts.funds.raise(call.hold, demand_for(call, call.bound.output));
    if (held || !spent(held.error()) || !lower_bound(call)) return held;
  }
}

Task<Result<void>> await_funds(Call& call) {
  while (true) {
    const Demand demand = demand_for(call, call.bound.output);
    Result<void> held = co_await call.parts.funds.cover(call.hold, demand);
    if (held || !spent(held.error()) || !lower_bound(call)) co_return held;
  }
}

bool outgrows_hold(const Call& call, int64_t output) {
  return call.hold.limited() && output + kGrowAheadTokens > call.bound.output;
}

Task<Result<void>> grow_hold(Call& call, int64_t output) {
  int64_t step = std::max(call.bound.output, output + kGrowAheadTokens - call.bound.output);
  while (true) {
    const Demand demand = demand_for(call, call.bound.output + step);
    Result<void> grown = co_await call.parts.funds.cover(call.hold, demand);
    if (grown) call.bound.output += step;
    if (grown || !spent(grown.error()) || step <= kSmallestGrowthTokens) co_return grown;
    step /= 2;
  }
}

}  // namespace deeppool::gateway
