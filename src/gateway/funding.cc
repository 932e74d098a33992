#include "gateway/funding.h"

#include <algorithm>

#include "governance/pricing/charge.h"

namespace deeppool::gateway {
namespace {

using governance::Covered;
using governance::Demand;

// How to bound what nobody knows yet.
enum class Bounding { most, likely };

bool limited(const Call& call) {
  return call.key->quota_total >= 0 || !call.model->price.free();
}

// Likely: counted, if that is quick. An upstream with another tokenizer may still count more.
int64_t prompt_bound(const Call& call, Bounding bounding) {
  const int64_t most = call.view.most_prompt_tokens();
  if (bounding == Bounding::most) return most;
  if (call.x.body.size() > kCountedBodyBytes) return most / 2;
  const auto& tokenizer = call.parts.tokenizers.for_model(call.view.model);
  return std::min(most, llm::count_prompt_tokens(call.api, call.x.body, tokenizer));
}

// Of one choice.
int64_t output_bound(const Call& call, Bounding bounding) {
  if (call.api == llm::Api::embeddings) return 0;
  const int64_t cap = call.model->max_output_tokens;
  if (call.view.max_tokens)
    return cap > 0 ? std::min(*call.view.max_tokens, cap) : *call.view.max_tokens;
  if (call.view.stream || bounding == Bounding::likely) {
    return cap > 0 ? std::min(cap, kAssumedOutputTokens) : kAssumedOutputTokens;
  }
  return cap > 0 ? cap : kInjectedOutputTokens;
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

void set_bound(Call& call, Bounding bounding) {
  const int64_t each = output_bound(call, bounding);
  call.bound.prompt = prompt_bound(call, bounding);
  call.bound.output = each * call.view.n;
  const bool open = !call.view.stream && !call.view.max_tokens && each > 0;
  call.bound.injected = open && limited(call) ? each : 0;
}

bool spent(const Error& error) {
  return error.code == ErrorCode::insufficient_quota;
}

}  // namespace

Result<Covered> hold_funds(Call& call) {
  set_bound(call, Bounding::most);
  auto held = call.parts.funds.raise(call.hold, demand_for(call, call.bound.output));
  if (held || !spent(held.error())) return held;
  set_bound(call, Bounding::likely);
  return call.parts.funds.raise(call.hold, demand_for(call, call.bound.output));
}

Task<Result<void>> await_funds(Call& call) {
  Demand demand = demand_for(call, call.bound.output);
  Result<void> held = co_await call.parts.funds.cover(call.hold, demand);
  if (held || !spent(held.error())) co_return held;
  set_bound(call, Bounding::likely);
  demand = demand_for(call, call.bound.output);
  held = co_await call.parts.funds.cover(call.hold, demand);
  co_return held;
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
