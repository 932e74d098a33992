#include "gateway/funding.h"

#include <algorithm>

#include "governance/pricing/charge.h"

namespace deeppool::gateway {
namespace {

using governance::Covered;
using governance::Demand;

// The models of which one may answer and be charged for.
template <class Fn>
void each_payable(const provider::Model& model, Fn fn) {
  if (!model.hybrid()) return fn(model);
  for (const provider::Child& child : model.children) {
    if (child.model && child.model->price.known()) fn(*child.model);
  }
}

bool all_free(const provider::Model& model) {
  bool free = true;
  each_payable(model, [&](const provider::Model& m) { free = free && m.price.free(); });
  return free;
}

// By the dearest of them.
base::Money most_cost(const provider::Model& model, const TokenBound& bound, int64_t output) {
  base::Money most;
  each_payable(model, [&](const provider::Model& m) {
    most = std::max(most, governance::bound(m.price.tiers, bound.prompt, output));
  });
  return most;
}

// The longest that any of them states; 0: some of them does not say.
int64_t longest(const provider::Model& model, int64_t provider::Model::* stated) {
  int64_t most = 0;
  bool all_say = true;
  each_payable(model, [&](const provider::Model& m) {
    most = std::max(most, m.*stated);
    all_say = all_say && m.*stated > 0;
  });
  return all_say ? most : 0;
}

bool may_reason(const provider::Model& model) {
  bool may = false;
  each_payable(model, [&](const provider::Model& m) { may = may || m.supports_reasoning; });
  return may;
}

bool limited(const Call& call) {
  return call.key->quota_total >= 0 || !all_free(*call.model);
}

// A prompt that is longer than a model reads at once is refused by it.
int64_t most_prompt(const Call& call) {
  const int64_t most = call.view.most_prompt_tokens();
  const int64_t context = longest(*call.model, &provider::Model::max_context_length);
  return context == 0 ? most : std::min(most, context * call.view.prompts);
}

// Its text is counted, if that is quick. An upstream with another tokenizer may still count more.
int64_t likely_prompt(const Call& call) {
  const int64_t most = most_prompt(call);
  if (call.x.body.size() > kCountedBodyBytes) return most;
  const auto& tokenizer = call.parts.tokenizers.for_model(call.view.model);
  return std::min(most, llm::count_prompt_tokens(call.api, call.x.body, tokenizer) +
                            call.view.most_beyond_estimates());
}

// Whether the upstream is given a bound that the caller did not set: somebody pays for the answer,
// and it cannot be watched growing (reasoning may not be shown).
bool needs_injection(const Call& call) {
  const bool watched = call.view.stream && !may_reason(*call.model);
  return !watched && !call.view.max_tokens && call.api != llm::Api::embeddings && limited(call);
}

// Of one choice.
int64_t most_output(const Call& call) {
  if (call.api == llm::Api::embeddings) return 0;
  int64_t tokens = kAssumedOutputTokens;
  if (needs_injection(call)) tokens = kInjectedOutputTokens;
  tokens = call.view.max_tokens.value_or(tokens);
  const int64_t cap = longest(*call.model, &provider::Model::max_output_tokens);
  if (cap == 0) return tokens;
  return needs_injection(call) ? cap : std::min(tokens, cap);
}

// What was held for is a bound only if the upstream hears of it: where the caller said more than
// it, nothing, or two things of which servers know one or the other.
bool must_be_told(const Call& call, int64_t each) {
  if (!call.view.max_tokens) return needs_injection(call);
  return (each < *call.view.max_tokens || call.view.two_limits) && limited(call);
}

Demand demand_for(const Call& call, int64_t output) {
  Demand demand;
  demand.user = call.key->owner;
  demand.key = call.key->id;
  demand.quota_total = call.key->quota_total;
  demand.tokens = call.bound.prompt + output;
  if (!all_free(*call.model)) demand.cost = most_cost(*call.model, call.bound, output);
  return demand;
}

void set_bound(Call& call) {
  const int64_t each = most_output(call);
  call.bound.prompt = most_prompt(call);
  call.bound.output = each * call.view.choices();
  call.bound.told = must_be_told(call, each) ? each : 0;
}

// After a refusal: first the prompt as it most likely is, then shorter and shorter answers, where
// the length is ours to set. False when nothing is left to try.
bool lower_bound(Call& call) {
  if (!call.bound.counted) {
    call.bound.counted = true;
    call.bound.prompt = likely_prompt(call);
    return true;
  }
  if (!needs_injection(call) || call.bound.told <= kAssumedOutputTokens) return false;
  call.bound.told = std::max(call.bound.told / 2, kAssumedOutputTokens);
  call.bound.output = call.bound.told * call.view.choices();
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
