#include "gateway/admission.h"

#include "gateway/finish.h"
#include "gateway/idempotent.h"

namespace deeppool::gateway {
namespace {

// Tokens that this request may take, as far as one can know now.
int64_t token_bound(const Call& call) {
  const llm::RequestView& view = call.view;
  const int64_t prompt = view.reservable_prompt_tokens();
  if (call.api == llm::Api::embeddings) return prompt;
  return prompt + view.choices() * view.max_tokens.value_or(kAssumedOutputTokens);
}

// What nobody can say the price of is not sold, and never given away by mistake.
Error without_price(const provider::Model& model) {
  if (model.hybrid()) {
    return Error(ErrorCode::unavailable, "The model `" + model.name +
                                             "` cannot be called: none of its models has a valid "
                                             "price. Ask the administrator to set one.");
  }
  return Error(ErrorCode::unavailable,
               "The model `" + model.name +
                   "` cannot be called: it has no valid price. Ask the administrator to set one.",
               "pricing_tiers: " +
                   (model.price.fault.empty() ? "never set ([] is free)" : model.price.fault));
}

struct AllowanceNames {
  std::string_view limit;
  std::string_view remaining;
  std::string_view reset;
};

void add_allowance(http::Exchange& x, const AllowanceNames& names, const ratelimit::Allowance& a) {
  if (a.limit == 0) return;
  x.add_header(names.limit, a.limit);
  x.add_header(names.remaining, a.remaining);
  // OpenAI writes durations as "6m0s", "1s" or "20ms".
  const int64_t ms = a.reset.count();
  const int64_t seconds = (ms + 999) / 1000;
  if (ms < 1000) {
    x.add_header(names.reset, ms, "ms");
  } else if (seconds < 60) {
    x.add_header(names.reset, seconds, "s");
  } else {
    x.add_header(names.reset, seconds / 60, "m", seconds % 60, "s");
  }
}

ratelimit::Limits limits_of(const Call& call) {
  return {call.key->rate_limit_rpm, call.key->rate_limit_tpm};
}

void say_limits(Call& call, const ratelimit::Snapshot& limits) {
  add_rate_headers(call.x, limits);
  if (call.protocol.add_limits == nullptr) return;
  call.protocol.add_limits(call.x, limits, call.parts.clock.wall());
}

Result<void> keep_permit(Call& call, Result<ratelimit::Permit> permit) {
  if (!permit) {
    say_limits(call, call.parts.limiter.snapshot(call.key->id, limits_of(call)));
    return std::move(permit).error();
  }
  call.permit = std::move(*permit);
  say_limits(call, call.permit.snapshot());
  return {};
}

// What follows knows the house dialect only.
Result<void> put_into_house(Call& call) {
  if (has_idempotency_key(call)) call.asked = crypto::sha256(call.x.body.view());
  if (call.protocol.to_house == nullptr) return {};
  DP_TRY(HouseRequest house, call.protocol.to_house(call.x));
  call.x.body = std::move(house.body);
  call.encoder = std::move(house.encoder);
  return {};
}

Result<const identity::ApiKey*> find_key(const identity::KeySnapshot& keys, const Parts& parts,
                                         const http::Exchange& x) {
  const http::Headers& headers = x.head.headers;
  return identity::identify(keys, headers.find("authorization"), headers.find("x-api-key"),
                            base::unix_ms(parts.clock.wall()), x.key_memo);
}

}  // namespace

Error no_such_model(const std::string& name) {
  Error error(ErrorCode::model_not_found,
              "The model `" + name + "` does not exist or you do not have access to it.");
  error.param = "model";
  return error;
}

void add_rate_headers(http::Exchange& x, const ratelimit::Snapshot& snapshot) {
  add_allowance(x,
                {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
                 "x-ratelimit-reset-requests"},
                snapshot.requests);
  add_allowance(
      x, {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
      snapshot.tokens);
}

Result<void> check_key(const Parts& parts, const http::Exchange& x) {
  const auto keys = parts.keys.current();
  DP_TRY([[maybe_unused]] const auto* key, find_key(*keys, parts, x));
  return {};
}

Result<void> identify(Call& call) {
  call.keys = call.parts.keys.current();
  DP_TRY(call.key, find_key(*call.keys, call.parts, call.x));
  return {};
}

Result<void> understand(Call& call) {
  DP_CHECK(put_into_house(call));
  DP_TRY(call.view, llm::parse_request(call.api, call.x.body));
  return find_model(call);
}

Result<void> find_model(Call& call) {
  call.routes = call.parts.router.current();
  call.model = call.routes->catalog()->find(call.view.model, call.key->owner);
  if (call.model == nullptr || !call.key->may_use(call.view.model)) {
    return no_such_model(call.view.model);
  }
  if (!call.model->sold()) return without_price(*call.model);
  return {};
}

Result<void> permit_rate(Call& call) {
  return keep_permit(call,
                     call.parts.limiter.admit(call.key->id, limits_of(call), token_bound(call)));
}

Task<Result<void>> permit_shared_rate(Call& call) {
  Result<ratelimit::Permit> permit = co_await call.parts.leases->admit(
      call.key->id, limits_of(call), token_bound(call), call.x.scope);
  co_return keep_permit(call, std::move(permit));
}

Result<void> limit_inflight(Call& call) {
  DP_TRY(call.slot, call.parts.inflight.admit(call.key->id, call.key->max_inflight));
  return {};
}

Result<void> check_spool(Call& call) {
  if (call.parts.spool.accepting()) return {};
  Error error(ErrorCode::unavailable,
              "The platform cannot record usage at the moment. Try again shortly.",
              "the spool does not accept records (disk full or failing)");
  error.retry_after = std::chrono::seconds(5);
  return error;
}

void route(Call& call) {
  call.plan = call.routes->plan({.model = *call.model,
                                 .view = call.view,
                                 .body = call.x.body.view(),
                                 .now = call.x.loop_now()},
                                call.parts.random);
}

Result<void> record_hold(Call& call) {
  governance::HoldRecord record;
  record.request_id = call.x.id;
  record.user = call.key->owner;
  record.key = call.key->id;
  record.model = call.view.model;
  record.api = call.protocol.recorded;
  record.stream = call.view.stream;
  record.started_at_ms = base::unix_ms(call.parts.clock.wall()) - call.elapsed_ms();
  record.held_tokens = call.bound.prompt + call.bound.output;
  record.quota_leased = call.hold.quota_tokens().has_value();
  record.price = billed_model(call).price.snapshot;
  record.held_money = call.hold.money();
  DP_CHECK(call.parts.writer.append_hold(record));
  call.recorded = true;
  return {};
}

}  // namespace deeppool::gateway
