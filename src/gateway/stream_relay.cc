#include "gateway/stream_relay.h"

#include "base/text.h"
#include "gateway/answer_events.h"
#include "gateway/finish.h"
#include "gateway/funding.h"
#include "gateway/idempotent.h"
#include "gateway/openai_error.h"
#include "gateway/stream_usage.h"
#include "provider/failure.h"

namespace deeppool::gateway {
namespace {

// Its coroutines wait for most of a stream's life, so their frames hold next to nothing: what is
// worked out between two waits, errors above all, is worked out in functions with frames of their
// own.
class Relay {
 public:
  Relay(Call& call, OpenStream& stream)
      : call_(call), stream_(stream), usage_(call, stream), last_progress_(call.x.loop_now()) {}
  Task<void> run();

 private:
  Task<Result<void>> pass_on();
  Task<Result<void>> take_next();
  enum class Came : uint8_t { piece, silence, failure };
  DP_OWN_FRAME Came take(Result<size_t> arrived);
  DP_OWN_FRAME Came silence();
  DP_OWN_FRAME Result<void> take_end();
  DP_OWN_FRAME Result<void> outcome();
  // Events that show nothing (pings, steps of hidden work) are signs of life, but not for ever.
  base::Instant idle_end() const {
    return std::min(std::max(last_event_, stream_.last_sign) + call_.parts.timeouts.idle,
                    last_event_ + kWholeAnswerTimeout);
  }
  base::Instant next_look(base::Instant beat) const;
  Error broken(Error error);
  DP_OWN_FRAME Task<void> end(Result<void> relayed);
  DP_OWN_FRAME Task<Result<void>> go_on_elsewhere(Error error);
  bool whole_all_the_same() const;
  void write_end(const Ending& ending);
  DP_OWN_FRAME Task<void> end_well();
  DP_OWN_FRAME Task<void> end_broken(Error error);
  DP_OWN_FRAME Task<void> caller_left();
  DP_OWN_FRAME void note_progress();
  DP_OWN_FRAME void fell_silent();
  DP_OWN_FRAME void travel_light();
  DP_OWN_FRAME Task<Result<void>> grow();
  DP_OWN_FRAME Task<void> end_at_limit();
  DP_OWN_FRAME Task<void> keep_for_repeats();

  Call& call_;
  OpenStream& stream_;
  StreamUsage usage_;
  std::unique_ptr<Error> limit_;  // why the stream ends before its end
  Result<void> failure_;          // what was wrong with what came
  bool may_go_on_ = false;        // it broke at the upstream's end, and others may do better
  bool to_blame_ = false;         // is the endpoint that broke last, and was not told yet
  bool silent_ = false;           // since kProgressInterval
  bool light_ = false;            // travel_light() was here
  base::Instant last_event_{};
  base::Instant last_progress_;
};

void Relay::note_progress() {
  last_progress_ = call_.x.loop_now();
  record_progress(call_, usage_.so_far());
  travel_light();
}

// A stream that lasts gives back the request's body, unless another endpoint may need it.
void Relay::travel_light() {
  if (std::exchange(light_, true) || gateway::may_go_on(call_)) return;
  (void)usage_.prompt_tokens();
  call_.x.body.release();
}

void Relay::fell_silent() {
  silent_ = true;
  stream_.chunks.rest();
  travel_light();
}

base::Instant Relay::next_look(base::Instant beat) const {
  const base::Instant due = std::min(idle_end(), beat);
  return silent_ ? due : std::min(due, last_event_ + kProgressInterval);
}

// Takes the next piece of the upstream's body, or its end; comments go to the caller while nothing
// comes.
Task<Result<void>> Relay::take_next() {
  silent_ = false;
  base::Instant beat = call_.x.loop_now() + kHeartbeatInterval;
  while (!stream_.reply->complete()) {
    Result<size_t> arrived = co_await stream_.reply->arrival({next_look(beat)});
    const Came came = take(std::move(arrived));
    if (came == Came::piece || came == Came::failure) co_return std::move(failure_);
    if (call_.x.loop_now() < beat) continue;
    Result<void> sent = co_await call_.x.flush(http::kSseHeartbeat);
    if (!sent) co_return sent;
    beat = call_.x.loop_now() + kHeartbeatInterval;
  }
  co_return take_end();
}

Relay::Came Relay::take(Result<size_t> arrived) {
  if (!arrived && arrived.error().code == ErrorCode::timeout) {
    fell_silent();
    return silence();
  }
  Result<std::string_view> piece = stream_.reply->take(std::move(arrived));
  if (!piece) {
    failure_ = broken(std::move(piece).error());
    return Came::failure;
  }
  if (piece->empty()) return silence();
  // Room for longer names at once: growing in doubles would cost a slow reader twice the memory.
  stream_.out.reserve(piece->size() + piece->size() / 8);
  Result<OpenStream::End> end = stream_.feed(*piece, stream_.out);
  if (!end) {
    failure_ = broken(std::move(end).error());
    return Came::failure;
  }
  stream_.end = *end;
  return stream_.out.empty() && *end == OpenStream::End::none ? silence() : Came::piece;
}

// Nothing came that the caller could be shown.
Relay::Came Relay::silence() {
  if (call_.x.loop_now() < idle_end()) return Came::silence;
  failure_ = broken(Error(ErrorCode::upstream_timeout, "The model's provider fell silent.",
                          "no event within the idle timeout"));
  return Came::failure;
}

// Some upstreams forget [DONE]; a stream whose choices are all finished is whole all the same.
Result<void> Relay::take_end() {
  Result<OpenStream::End> last = stream_.feed_last(stream_.out);
  if (!last) return broken(std::move(last).error());
  stream_.end = *last;
  if (*last != OpenStream::End::none) return {};
  if (stream_.chunks.saw_finish_reason()) {
    stream_.end = OpenStream::End::done;
    return {};
  }
  return broken(Error(ErrorCode::upstream_failed, "The model's provider broke the stream off.",
                      "the body ended without finish_reason and without [DONE]"));
}

// An error when what has come is no longer covered: it is not relayed.
Task<Result<void>> Relay::grow() {
  Result<void> grown = co_await grow_hold(call_, usage_.output());
  if (grown || usage_.output() <= call_.bound.output) co_return Result<void>();
  limit_ = std::make_unique<Error>(grown.error());
  co_return grown;
}

// What it means that the stream has ended.
Result<void> Relay::outcome() {
  switch (stream_.end) {
    case OpenStream::End::upstream_error: {
      provider::Failure failure = provider::failure_of_error(stream_.chunks.error());
      if (failure.elsewhere == provider::Elsewhere::pointless) return std::move(failure.error);
      return broken(std::move(failure.error));
    }
    case OpenStream::End::malformed:
      return broken(
          Error(ErrorCode::upstream_failed, "The model's provider sent a malformed event."));
    case OpenStream::End::diverged:
      return broken(
          Error(ErrorCode::upstream_failed, "The answer broke off and could not be continued."));
    case OpenStream::End::none:
    case OpenStream::End::done:
      break;
  }
  if (stream_.chunks.said_nothing()) {
    return broken(Error(ErrorCode::upstream_failed, "The model's provider sent an empty answer."));
  }
  return {};
}

// Relays until the stream ends well; an error otherwise.
Task<Result<void>> Relay::pass_on() {
  std::string& out = stream_.out;
  while (true) {
    last_event_ = call_.x.loop_now();
    if (stream_.end != OpenStream::End::none) co_return outcome();
    if (outgrows_hold(call_, usage_.output())) {
      Result<void> grown = co_await grow();
      if (!grown) co_return grown;
    }
    if (call_.idempotent) call_.idempotent->capture(out);
    Result<void> sent = co_await call_.x.flush(out);
    if (!sent) co_return sent;
    // Its buffer serves the next stream that has something to say, while it is in the cache.
    std::string().swap(out);
    if (last_event_ - last_progress_ >= kProgressInterval) note_progress();
    Result<void> taken = co_await take_next();
    if (!taken) co_return taken;
  }
}

// The upstream's end broke; while the caller is there somebody else may go on.
Error Relay::broken(Error error) {
  may_go_on_ = !call_.x.scope.cancelled();
  to_blame_ = true;
  return error;
}

// Only the words behind the answer were lost.
bool Relay::whole_all_the_same() const {
  return may_go_on_ && stream_.chunks.saw_finish_reason() && !stream_.chunks.needs_closing();
}

// Until a stream ends well, or nobody can go on: then with what broke the last one.
Task<Result<void>> Relay::go_on_elsewhere(Error error) {
  while (may_go_on_ && call_.seams.size() < kMaxSeams) {
    may_go_on_ = false;
    if (call_.idempotent) call_.idempotent->capture(stream_.out);
    stream_.out += http::kSseHeartbeat;
    Result<void> sent = co_await call_.x.flush(stream_.out);
    if (!sent) co_return sent;
    stream_.out.clear();
    to_blame_ = false;  // it is told there
    Result<void> continued = co_await continue_stream(call_, stream_);
    if (!continued) co_return error;
    usage_.went_elsewhere();
    Result<void> relayed = co_await pass_on();
    if (relayed || whole_all_the_same()) co_return Result<void>();
    error = std::move(relayed).error();
  }
  co_return error;
}

// The last events of an answer that the caller has to pay for: usage, if it was asked for, and
// [DONE].
void Relay::write_end(const Ending& ending) {
  std::string& out = stream_.out;
  if (!call_.seams.empty() && call_.shows_seams) append_seams(call_, stream_.chunks, out);
  if (call_.view.caller_wants_usage) {
    const std::string cost = ending.bill->charged.to_string();
    const bool theirs = ending.usage.source == llm::Usage::Source::upstream;
    append_chunk(call_,
                 theirs ? stream_.chunks.final_usage_chunk(cost)
                        : stream_.chunks.final_usage_chunk(ending.usage, cost),
                 out);
  }
  append_end(call_, out);
}

// With the events that are about to leave.
Task<void> Relay::keep_for_repeats() {
  call_.idempotent->capture(stream_.out);
  co_await call_.idempotent->keep(idempotency::KeptAnswer::Form::stream);
}

Task<void> Relay::end_well() {
  const Ending ending = usage_.ending(usage_.so_far());
  std::string& out = stream_.out;
  if (stream_.chunks.needs_closing()) append_chunk(call_, stream_.chunks.closing_chunk(), out);
  write_end(ending);
  if (call_.idempotent) co_await keep_for_repeats();
  finish(call_, ending);
  Result<void> sent = co_await call_.x.finish(out);
  (void)sent;  // a caller that leaves now has been charged for a whole answer, as it should
}

// Quota, grants and balance are spent while the answer streams: it ends here, well-formed, with the
// reason, and is charged for no more than was held.
Task<void> Relay::end_at_limit() {
  Ending ending = usage_.ending(usage_.held());
  ending.outcome = governance::Outcome::stopped_at_limit;
  ending.error = limit_->code;
  ending.finish_reason = "length";
  std::string& out = stream_.out;
  // An encoder has numbered its events and counts on their being sent: those leave uncharged.
  if (!call_.encoder) out.clear();
  std::string closing = stream_.chunks.closing_chunk("length");
  closing.pop_back();
  closing += R"(,"deeppool":{"stopped_by":)";
  base::append_json_string(closing, openai_error(limit_->code).code);
  closing += R"(,"message":)";
  base::append_json_string(closing, limit_->message);
  closing += "}}";
  append_chunk(call_, closing, out);
  write_end(ending);
  if (call_.idempotent) co_await keep_for_repeats();
  finish(call_, ending);
  Result<void> sent = co_await call_.x.finish(out);
  (void)sent;
}

// The caller went away: what was generated is charged.
Task<void> Relay::caller_left() {
  Ending ending = usage_.ending(usage_.so_far());
  ending.outcome = governance::Outcome::client_aborted;
  ending.status = 499;
  ending.error = ErrorCode::cancelled;
  if (call_.idempotent) co_await call_.idempotent->cut();
  finish(call_, ending);
}

// The upstream (or we) broke after the first byte: nothing is charged, and the caller is told.
Task<void> Relay::end_broken(Error error) {
  Ending ending;
  ending.outcome = governance::Outcome::broke_midstream;
  ending.error = error.code;
  finish(call_, ending);
  std::string& out = stream_.out;
  append_error(call_, error, out);
  Result<void> sent = co_await call_.x.finish(out);
  (void)sent;
}

Task<void> Relay::run() {
  Result<void> relayed = co_await pass_on();
  co_await end(std::move(relayed));
}

// Behind the last event of the first upstream.
Task<void> Relay::end(Result<void> relayed) {
  if (!relayed && whole_all_the_same()) relayed = Result<void>();
  if (!relayed && may_go_on_) relayed = co_await go_on_elsewhere(std::move(relayed).error());
  if (relayed) {
    co_await end_well();
    co_return;
  }
  const async::CancelScope& scope = call_.x.scope;
  if (scope.cancelled() && scope.reason() == async::CancelReason::caller_gone) {
    co_await caller_left();
    co_return;
  }
  Error error = std::move(relayed).error();
  if (limit_) {
    co_await end_at_limit();
    co_return;
  }
  if (scope.cancelled()) {
    error = Error(ErrorCode::unavailable, "The server is shutting down. Send the request again.");
  } else if (to_blame_) {
    stream_.broke();
  }
  co_await end_broken(std::move(error));
}

// Reads the end of a body whose last event has come, so that its connection can serve again.
Task<void> read_tail(std::unique_ptr<http::Reply> reply, base::Deadline deadline) {
  while (true) {
    Result<std::string_view> piece = co_await reply->read(deadline);
    if (!piece || piece->empty()) co_return;
  }
}

// Lets the upstream's connection serve again, now or when its body's end has come.
DP_OWN_FRAME void let_go(Call& call, OpenStream& stream) {
  stream.reply->detach();
  if (stream.end != OpenStream::End::done || stream.reply->complete()) return;
  const base::Deadline deadline{call.parts.clock.now() + kTailTimeout};
  call.parts.background.spawn(read_tail(std::move(stream.reply), deadline));
}

DP_OWN_FRAME void begin_answer(Call& call) {
  call.first_token_ms = call.elapsed_ms();
  if (call.x.body.size() > kKeptBodyBytes && !may_go_on(call)) call.x.body.release();
  call.x.add_header("Cache-Control", "no-cache");
  call.x.add_header("X-Accel-Buffering", "no");
  call.x.start_stream(200, kStreamContentType);
}

}  // namespace

Task<void> relay_stream(Call& call, std::unique_ptr<OpenStream> stream) {
  Relay relay(call, *stream);
  begin_answer(call);
  co_await relay.run();
  let_go(call, *stream);
}

}  // namespace deeppool::gateway
