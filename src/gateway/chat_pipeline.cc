#include "gateway/chat_pipeline.h"

#include "gateway/admission.h"
#include "gateway/attempts.h"
#include "gateway/bill.h"
#include "gateway/cross_check.h"
#include "gateway/dropped_params.h"
#include "gateway/finish.h"
#include "gateway/funding.h"
#include "gateway/idempotent.h"
#include "gateway/inline_images.h"
#include "gateway/openai_error.h"
#include "gateway/stream_relay.h"

namespace deeppool::gateway {
namespace {

// What follows the permit.
Result<governance::Covered> hold(Call& call) {
  DP_CHECK(limit_inflight(call));
  DP_CHECK(check_spool(call));
  return hold_funds(call);
}

DP_OWN_FRAME Result<governance::Covered> admit(Call& call) {
  DP_CHECK(identify(call));
  DP_CHECK(understand(call));
  DP_CHECK(permit_rate(call));
  return hold(call);
}

// The same with stages that may have to wait: shared limits ask Redis, an Idempotency-Key the
// database. What is only repeated needs no funds.
DP_OWN_FRAME Task<Result<governance::Covered>> admit_waiting(Call& call) {
  DP_CO_CHECK(identify(call));
  DP_CO_CHECK(understand(call));
  if (call.parts.leases == nullptr) {
    DP_CO_CHECK(permit_rate(call));
  } else {
    Result<void> permitted = co_await permit_shared_rate(call);
    DP_CO_CHECK(std::move(permitted));
  }
  if (has_idempotency_key(call)) {
    Result<void> claimed = co_await claim_idempotency_key(call);
    DP_CO_CHECK(std::move(claimed));
    if (call.idempotent->replay() != nullptr) co_return governance::Covered::yes;
  }
  co_return hold(call);
}

// Nothing was sent yet: the call ends unbilled, with an error answer unless nobody is there to read
// it.
DP_OWN_FRAME Task<void> end_unanswered(Call& call, Error& error) {
  Ending ending;
  const bool gone =
      call.x.scope.cancelled() && call.x.scope.reason() == async::CancelReason::caller_gone;
  ending.outcome =
      gone ? governance::Outcome::client_aborted : governance::Outcome::failed_before_first_byte;
  ending.status = gone ? 499 : call.protocol.error_status(error.code);
  ending.error = error.code;
  finish(call, ending);
  if (!gone) co_await call.protocol.answer_error(call.x, std::move(error));
}

// A header that belongs to the answer, and comes again with it.
void add_header(Call& call, std::string_view name, std::string_view value) {
  call.x.add_header(name, value);
  if (call.idempotent) call.idempotent->capture_header(name, value);
}

DP_OWN_FRAME void add_backend_headers(Call& call) {
  add_header(call, "X-DeepPool-Backend", call.model->vendor_type);
  add_header(call, "X-DeepPool-Model-Name", call.model->name);
  add_header(call, "X-DeepPool-Provider-Type", call.endpoint->provider_type);
  add_header(call, "X-DeepPool-Route-Target",
             call.model->hybrid() ? call.served->name : call.endpoint->name);
  if (call.dropped.empty()) return;
  add_header(call, "X-DeepPool-Dropped-Params", dropped_params(call.dropped));
}

Result<std::string> encode_whole(llm::AnswerEncoder& encoder, const WholeAnswer& answer) {
  json::PaddedBytes house;
  house.reserve(answer.rewrite.body.size());
  for (const std::string_view piece : answer.rewrite.body.pieces()) house.append(piece);
  return encoder.whole(house);
}

DP_OWN_FRAME Task<void> send_whole(Call& call, WholeAnswer& answer) {
  Ending ending;
  ending.finish_reason = answer.rewrite.finish_reason;
  if (answer.rewrite.usage) {
    ending.usage = *answer.rewrite.usage;
    ending.deviates = deviates(call.view, ending.usage, answer.body.size());
  } else {
    const llm::Tokenizer& tokenizer =
        call.parts.tokenizers.for_model(call.endpoint->upstream_model);
    const int64_t prompt = llm::count_prompt_tokens(call.api, call.x.body, tokenizer);
    ending.usage = llm::estimate_usage(call.api, answer.body, prompt, tokenizer);
    // The same bytes were understood a moment ago: this cannot fail.
    answer.rewrite = *llm::rewrite_response(
        call.api, answer.body, call.view.model, &ending.usage,
        [&](const llm::Usage& usage) { return answer.price(bill_for(call, usage)); });
  }
  ending.bill = answer.bill;
  base::Money::Buffer cost;
  add_header(call, "x-deeppool-cost", answer.bill.charged.write(cost));
  std::span<const std::string_view> body = answer.rewrite.body.pieces();
  std::string encoded;
  std::string_view whole;
  if (call.encoder) {
    Result<std::string> made = encode_whole(*call.encoder, answer);
    if (!made) {
      co_await end_unanswered(call, made.error());
      co_return;
    }
    encoded = std::move(*made);
    whole = encoded;
    body = {&whole, 1};
  }
  if (call.idempotent) co_await keep_whole_answer(call, body);
  finish(call, ending);
  Result<void> sent = co_await call.x.send(200, kJsonContentType, body);
  (void)sent;
}

// The request's fields are read to the last: while its answer is awaited they only take room.
void leave_fields(Call& call) {
  http::Headers& fields = call.x.head.headers;
  call.shows_seams = !call.encoder && fields.find("x-deeppool-show-seams").has_value();
  fields = {};
}

// Everything up to an answer that is sent, or to a stream that has begun: null but for that. In a
// frame of its own, which an open stream does not keep.
DP_OWN_FRAME Task<std::unique_ptr<OpenStream>> begin_answer(Call& call) {
  Result<governance::Covered> covered = governance::Covered::not_yet;
  if (call.parts.leases == nullptr && !has_idempotency_key(call)) {
    covered = admit(call);
  } else {
    covered = co_await admit_waiting(call);
  }
  if (call.idempotent && call.idempotent->replay() != nullptr) {
    co_await send_replay(call);
    co_return nullptr;
  }
  Result<void> admitted;
  if (!covered) {
    admitted = std::move(covered).error();
  } else if (*covered == governance::Covered::not_yet) {
    admitted = co_await await_funds(call);
  }
  if (admitted) route(call);
  if (admitted) admitted = record_hold(call);
  if (admitted && needs_inlining(call)) admitted = co_await inline_images(call);
  if (!admitted) {
    co_await end_unanswered(call, admitted.error());
    co_return nullptr;
  }
  leave_fields(call);
  if (call.view.stream) {
    Result<std::unique_ptr<OpenStream>> stream = co_await open_stream(call);
    if (!stream) {
      co_await end_unanswered(call, stream.error());
      co_return nullptr;
    }
    add_backend_headers(call);
    co_return std::move(*stream);
  }
  Result<std::unique_ptr<WholeAnswer>> answer = co_await fetch_whole(call);
  if (!answer) {
    co_await end_unanswered(call, answer.error());
    co_return nullptr;
  }
  add_backend_headers(call);
  co_await send_whole(call, **answer);
  co_return nullptr;
}

}  // namespace

Task<void> serve_completion(Parts& parts, http::Exchange& x, const Protocol& protocol) {
  Call call(parts, x, protocol);
  std::unique_ptr<OpenStream> stream = co_await begin_answer(call);
  if (stream) co_await relay_stream(call, std::move(stream));
}

}  // namespace deeppool::gateway
