#include "gateway/hedge.h"

#include "async/task_group.h"
#include "gateway/attempt.h"

namespace deeppool::gateway {
namespace {

constexpr base::Deadline kAttemptsHaveTheirOwn{base::Instant::max()};

struct Runner {
  Candidates::Chosen chosen;
  async::CancelScope scope;
  Heard heard;
  std::unique_ptr<OpenStream> stream;
  Failed failure;
  bool started = false;
  bool done = false;
};

// The winner's stream keeps it: the stream is bound to its runner's scope.
class Race {
 public:
  explicit Race(Call& call)
      : call_(call),
        group_(async::Loop::current()),
        news_(async::Loop::current()),
        cancel_(call.x.scope, &Race::cancel_all, this) {}

  void start(Runner& runner, Candidates::Chosen chosen) {
    runner.chosen = std::move(chosen);
    runner.started = true;
    if (call_.x.scope.cancelled()) runner.scope.cancel(call_.x.scope.reason());
    group_.spawn(run(runner));
  }
  // Until a runner is done, or the deadline.
  async::Parker::Awaiter news(base::Deadline deadline) { return news_.park(deadline); }
  // Nobody is left to wait for.
  bool decided() {
    if (winner() != nullptr) return true;
    return first.done && (!second.started || second.done);
  }
  Runner* winner() {
    if (first.stream && first.done) return &first;
    return second.stream && second.done ? &second : nullptr;
  }
  Task<bool> join() { return group_.join(kAttemptsHaveTheirOwn); }

  Runner first;
  Runner second;

 private:
  Task<void> run(Runner& runner) {
    const Target target{*runner.chosen.candidate, runner.scope, runner.heard};
    Failed failure = co_await try_stream(call_, target, runner.stream);
    runner.failure = std::move(failure);
    runner.done = true;
    news_.wake();
  }
  static void cancel_all(void* self) {
    auto& race = *static_cast<Race*>(self);
    const async::CancelReason reason = race.call_.x.scope.reason();
    race.first.scope.cancel(reason);
    race.second.scope.cancel(reason);
  }

  Call& call_;
  async::TaskGroup group_;
  async::Parker news_;
  async::CancelHook cancel_;
};

// Who did not win: it failed, or it was too slow.
void settle_loser(Candidates& candidates, Runner& runner) {
  if (!runner.started) return;
  if (runner.failure) {
    candidates.failed(runner.chosen, std::move(*runner.failure));
    return;
  }
  candidates.outrun(runner.chosen);
  runner.scope.cancel(async::CancelReason::caller_gone);  // nobody waits for it any more
}

std::string_view outcome_of(Race& race) {
  if (race.winner() == nullptr) return "failed";
  return race.winner() == &race.second ? "won" : "lost";
}

}  // namespace

Task<std::unique_ptr<OpenStream>> open_hedged(Call& call, Candidates& candidates,
                                              Candidates::Chosen first) {
  const provider::Hedging& hedging = first.candidate->model->hedging;
  auto race = std::make_shared<Race>(call);
  race->start(race->first, std::move(first));
  const base::Deadline patience{call.parts.clock.now() + hedging.after};
  (void)co_await race->news(patience);
  if (!race->first.done) {
    Candidates::Chosen second = candidates.hedge(hedging);
    if (second) race->start(race->second, std::move(second));
  }
  while (!race->decided()) (void)co_await race->news(kAttemptsHaveTheirOwn);
  if (race->second.started) call.parts.metrics.hedges.with({outcome_of(*race)}).add();
  Runner* winner = race->winner();
  std::unique_ptr<OpenStream> stream;
  if (winner != nullptr) stream = std::move(winner->stream);
  for (Runner* runner : {&race->first, &race->second}) {
    if (runner != winner) settle_loser(candidates, *runner);
  }
  // A cancelled one ends in this turn or the next; it works on the call's body until then.
  const bool ended = co_await race->join();
  (void)ended;
  if (!stream) co_return nullptr;
  candidates.answered(winner->chosen);
  call.dropped = std::move(winner->heard.dropped);
  call.upstream_request_id = std::move(winner->heard.request_id);
  stream->slot = std::move(winner->chosen.slot);
  stream->bound_to = std::move(race);
  co_return stream;
}

}  // namespace deeppool::gateway
