#include "gateway/attempt.h"

#include <algorithm>
#include <utility>

#include "gateway/bill.h"

namespace deeppool::gateway {
namespace {

using provider::Elsewhere;
using provider::Failure;
using provider::Fault;

Failed boxed(Failure failure) {
  return std::make_unique<Failure>(std::move(failure));
}

// `fault`: what it means for the endpoint if the upstream failed.
DP_OWN_FRAME Failed elsewhere(Error&& error, Fault fault) {
  const Elsewhere hope =
      error.code == ErrorCode::cancelled ? Elsewhere::pointless : Elsewhere::worth_trying;
  std::optional<Fault> found;
  if (error.code == ErrorCode::timeout) {
    error = Error(ErrorCode::upstream_timeout, "The model's provider took too long.", error.detail);
    found = Fault::timeout;
  } else if (error.code == ErrorCode::upstream_failed) {
    found = fault;
  }
  return boxed({std::move(error), hope, found});
}

// An error of ours, or of the caller's end.
DP_OWN_FRAME Failed nobodys_fault(Error&& error, Elsewhere hope) {
  return boxed({std::move(error), hope, {}});
}

DP_OWN_FRAME Failed bad_answer(const char* detail) {
  return boxed({Error(ErrorCode::upstream_failed, "The model's provider answered wrongly.", detail),
                Elsewhere::worth_trying, Fault::bad_answer});
}

DP_OWN_FRAME Failed told_so(const llm::UpstreamError& said) {
  return boxed(provider::failure_of_error(said));
}

// Reads the body whole, up to `limit` bytes.
DP_OWN_FRAME Task<Result<json::PaddedBytes>> read_all(http::Reply& reply, size_t limit,
                                                      base::Deadline deadline) {
  json::PaddedBytes body;
  if (reply.head().framing == http::Framing::length) {
    body.reserve(std::min<uint64_t>(reply.head().content_length, limit));
  }
  while (true) {
    const base::Instant stall = async::Loop::current().now() + kAnswerStallTimeout;
    Result<std::string_view> piece = co_await reply.read({std::min(deadline.at, stall)});
    if (!piece) co_return std::move(piece).error();
    if (body.size() + piece->size() > limit) {
      co_return Error(ErrorCode::upstream_failed, "The model's provider sent too much.");
    }
    body.append(*piece);
    if (reply.complete()) co_return body;
  }
}

// What an answer may still take of the bound that the upstream is told; 0: it is told none.
int64_t left_of_limit(const Call& call, int64_t said_tokens) {
  const int64_t told = call.bound.told;
  const int64_t limit = told > 0 ? told : call.view.max_tokens.value_or(0);
  return limit == 0 ? 0 : std::max<int64_t>(1, limit - said_tokens);
}

// One attempt up to the head of an answer with status 200.
class Attempt {
 public:
  // `begun`: null for an answer from its start.
  Attempt(Call& call, const Target& target, const GoingOn* begun = nullptr)
      : call_(call),
        model_(*target.candidate.model),
        endpoint_(*target.candidate.endpoint),
        scope_(target.scope),
        heard_(target.heard),
        adapter_(call.parts.adapters.of(endpoint_)),
        begun_(begun) {}

  // Null when `reply` is there.
  DP_OWN_FRAME Task<Failed> send(base::Deadline deadline) {
    Result<provider::UpstreamRequest> asked = ask();
    if (!asked) co_return nobodys_fault(std::move(asked).error(), Elsewhere::worth_trying);
    const http::Origin origin{endpoint_.tls, endpoint_.host, endpoint_.port, endpoint_.ca_file};
    http::Client& client = endpoint_.owner ? call_.parts.users_client : call_.parts.client;
    Result<std::unique_ptr<http::Reply>> answered = co_await client.request(
        origin, {http::Method::post, asked->head, asked->body.pieces()}, deadline, scope_);
    if (!answered) co_return elsewhere(std::move(answered).error(), Fault::connect);
    reply = std::move(*answered);
    if (!hear()) co_return bad_answer("content-encoding");
    if (reply->head().status == 200) co_return nullptr;
    Failed failure = co_await explain(deadline);
    co_return failure;
  }

  const provider::Adapter& adapter() const { return adapter_; }
  const provider::Endpoint& endpoint() const { return endpoint_; }

  // A stream was asked and a JSON body came: an error with status 200, most likely.
  DP_OWN_FRAME Task<Failed> explain_json(base::Deadline deadline) {
    Result<json::PaddedBytes> body = co_await read_all(*reply, kMaxErrorBytes, deadline);
    if (!body) co_return elsewhere(std::move(body).error(), Fault::bad_answer);
    const auto said = llm::find_error(body->view());
    co_return said ? told_so(*said) : bad_answer("a JSON body where a stream was asked for");
  }

  std::unique_ptr<http::Reply> reply;

 private:
  // False: it is coded in a way that nobody asked for.
  DP_OWN_FRAME bool hear() {
    const http::Headers& headers = reply->head().headers;
    const auto id = headers.find("x-request-id");  // Anthropic leaves out the `x-`
    heard_.request_id = id ? *id : headers.find("request-id").value_or("");
    const auto coding = headers.find("content-encoding");
    return !coding || base::iequals(*coding, "identity");
  }

  DP_OWN_FRAME Task<Failed> explain(base::Deadline deadline) {
    const int status = reply->head().status;
    std::optional<std::string> retry_after;
    if (const auto v = reply->head().headers.find("retry-after")) retry_after = std::string(*v);
    Result<json::PaddedBytes> body = co_await read_all(*reply, kMaxErrorBytes, deadline);
    std::optional<llm::UpstreamError> said;
    if (body) said = llm::find_error(body->view());
    co_return boxed(provider::failure_of_status(status, retry_after, said, call_.parts.clock));
  }

  // What another endpoint, with another dialect, may still be able to say, this one is not asked.
  DP_OWN_FRAME Result<provider::UpstreamRequest> ask() {
    const auto request_id = call_.x.id.spell();
    const http::Traceparent traceparent = call_.x.trace.child(call_.parts.random);
    provider::Asking asking{.view = call_.view,
                            .body = call_.x.body,
                            .endpoint = endpoint_,
                            .model = model_,
                            .output_limit = call_.bound.told,
                            .request_id = {request_id.data(), request_id.size()},
                            .traceparent = traceparent,
                            .answered_text = {}};
    if (begun_ != nullptr && begun_->how == llm::Continuation::How::prefix) {
      asking.answered_text = begun_->said.text;
      asking.output_limit = left_of_limit(call_, begun_->said_tokens);
    }
    Result<provider::UpstreamRequest> asked = adapter_.request(asking);
    if (!asked) return asked;
    if (!asked->dropped.empty() && endpoint_.param_policy == provider::ParamPolicy::refuse) {
      return Error::invalid(asked->dropped.front(), "The model `" + call_.view.model +
                                                        "` does not support '" +
                                                        asked->dropped.front() + "'.");
    }
    heard_.dropped = std::move(asked->dropped);
    return asked;
  }

  Call& call_;
  const provider::Model& model_;
  const provider::Endpoint& endpoint_;
  async::CancelScope& scope_;
  Heard& heard_;
  const provider::Adapter& adapter_;
  const GoingOn* begun_;
};

void set_translation(const Call& call, const Attempt& attempt, OpenStream& stream) {
  stream.translation.reset();
  if (auto translator = attempt.adapter().translator(call.view)) {
    stream.translation = std::make_unique<Translation>(std::move(translator));
  }
}

DP_OWN_FRAME std::unique_ptr<OpenStream> make_stream(Call& call, Attempt& attempt) {
  attempt.reply->forget_fields();
  auto stream = std::make_unique<OpenStream>(
      call, std::move(attempt.reply),
      llm::ChunkSettings{call.api, call.view.model, call.view.caller_wants_usage,
                         call.parts.tokenizers.for_model(attempt.endpoint().upstream_model)});
  set_translation(call, attempt, *stream);
  if (may_go_on(call)) stream->chunks.keep_text();
  return stream;
}

// Takes a piece of a stream that has shown nothing yet. Null unless it has failed.
DP_OWN_FRAME Failed take_first(OpenStream& stream, Result<std::string_view> piece) {
  if (!piece) return elsewhere(std::move(piece).error(), Fault::bad_answer);
  const bool ended = piece->empty();
  Result<OpenStream::End> end =
      ended ? stream.feed_last(stream.out) : stream.feed(*piece, stream.out);
  if (!end) return elsewhere(std::move(end).error(), Fault::bad_answer);
  stream.end = *end;
  if (!stream.out.empty()) return nullptr;
  if (*end == OpenStream::End::upstream_error) return told_so(stream.chunks.error());
  if (*end == OpenStream::End::malformed) return bad_answer("not JSON");
  if (*end == OpenStream::End::diverged) return bad_answer("another answer than the one begun");
  if (!ended && *end != OpenStream::End::done) return nullptr;
  // Only its end was left to say, which an encoder does behind it.
  if (!stream.chunks.saw_finish_reason()) return bad_answer("an empty stream");
  stream.end = OpenStream::End::done;
  return nullptr;
}

}  // namespace

Task<Failed> try_stream(Call& call, Target target, std::unique_ptr<OpenStream>& opened) {
  const base::Deadline deadline{call.parts.clock.now() + call.parts.timeouts.first_token};
  Attempt attempt(call, target);
  Failed failed = co_await attempt.send(deadline);
  if (failed) co_return failed;
  const auto type = attempt.reply->head().headers.find("content-type").value_or("");
  if (type.find("json") != std::string_view::npos) {
    failed = co_await attempt.explain_json(deadline);
    co_return failed;
  }
  std::unique_ptr<OpenStream> stream = make_stream(call, attempt);
  while (stream->out.empty() && stream->end == OpenStream::End::none && !failed) {
    Result<std::string_view> piece = co_await stream->reply->read(deadline);
    failed = take_first(*stream, std::move(piece));
  }
  if (!failed) opened = std::move(stream);
  co_return failed;
}

Task<Failed> reopen(Call& call, Target target, const GoingOn& begun, OpenStream& stream) {
  const base::Deadline deadline{call.parts.clock.now() + call.parts.timeouts.first_token};
  Attempt attempt(call, target, &begun);
  Failed failed = co_await attempt.send(deadline);
  if (failed) co_return failed;
  attempt.reply->forget_fields();
  stream.reply = std::move(attempt.reply);
  stream.events = http::SseParser(http::kMaxEventBytes);
  set_translation(call, attempt, stream);
  stream.fitting =
      std::make_unique<Fitting>(llm::Continuation(begun.how, begun.said), std::string());
  stream.chunks.begin_continuation();
  stream.out.clear();
  stream.end = OpenStream::End::none;
  base::Deadline next = deadline;
  base::Instant beat = call.x.loop_now();
  while (stream.out.empty() && stream.end == OpenStream::End::none && !failed) {
    Result<std::string_view> piece = co_await stream.reply->read(next);
    failed = take_first(stream, std::move(piece));
    // A long answer that is said again takes its time.
    const base::Instant now = call.x.loop_now();
    next.at = now + call.parts.timeouts.idle;
    if (now - beat < kHeartbeatInterval) continue;
    beat = now;
    Result<void> sent = co_await call.x.flush(http::kSseHeartbeat);
    if (!sent) co_return nobodys_fault(std::move(sent).error(), Elsewhere::pointless);
  }
  co_return failed;
}

Task<Failed> try_whole(Call& call, Target target, std::unique_ptr<WholeAnswer>& fetched) {
  const base::Instant now = call.parts.clock.now();
  const base::Deadline deadline{now + kWholeAnswerTimeout};
  Attempt attempt(call, target);
  // It begins when it is complete; who is alone is waited for.
  const bool others = std::cmp_less(call.attempts, call.plan.candidates.size());
  Failed failed =
      co_await attempt.send(others ? base::Deadline{now + call.parts.timeouts.whole} : deadline);
  if (failed) co_return failed;
  auto answer = std::make_unique<WholeAnswer>();
  Result<json::PaddedBytes> body = co_await read_all(*attempt.reply, kMaxAnswerBytes, deadline);
  if (!body) co_return elsewhere(std::move(body).error(), Fault::bad_answer);
  body = attempt.adapter().house_answer(call.view, std::move(*body));
  if (!body) co_return elsewhere(std::move(body).error(), Fault::bad_answer);
  answer->body = std::move(*body);
  const auto cost_of = [&call, &made = *answer](const llm::Usage& usage) {
    return made.price(bill_for(call, usage));
  };
  Result<llm::ResponseRewrite> rewrite =
      llm::rewrite_response(call.api, answer->body, call.view.model, nullptr, cost_of);
  if (!rewrite) co_return elsewhere(std::move(rewrite).error(), Fault::bad_answer);
  if (rewrite->error) co_return told_so(*rewrite->error);
  if (rewrite->choice_count == 0) co_return bad_answer("no choices");
  answer->rewrite = std::move(*rewrite);
  fetched = std::move(answer);
  co_return nullptr;
}

}  // namespace deeppool::gateway
