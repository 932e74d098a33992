#include "ratelimit/redis/heartbeat.h"

#include "ratelimit/redis/scripts.h"

namespace deeppool::ratelimit {

Task<Sent> Heartbeat::exchange(Beat beat) {
  std::optional<int64_t> test_ms;
  if (side_.test_clock != nullptr) test_ms = base::unix_ms(side_.test_clock->wall());
  const Command command = beat_command(beat, side_.fleet.instance(), test_ms);
  const std::vector<std::string_view> words(command.begin(), command.end());
  Result<redis::Reply> reply = co_await side_.client.call(words, kHeartbeatWait);
  std::optional<BeatAnswer> answer;
  if (reply) answer = read_beat_answer(*reply);
  if (!answer) {
    side_.fleet.counters.failures.fetch_add(1, std::memory_order_relaxed);
    co_return Sent::failed;
  }
  side_.fleet.answered(beat, *answer);
  co_return Sent::answered;
}

Task<Sent> Heartbeat::beat() {
  const Beat first = side_.fleet.next_beat();
  Sent outcome = co_await exchange(first);
  if (outcome == Sent::answered && first.kind == Beat::Kind::hello) {
    const Beat second = side_.fleet.next_beat();
    if (second.kind != Beat::Kind::hello) outcome = co_await exchange(second);
  }
  if (outcome == Sent::answered) co_await report();
  co_return outcome;
}

// After a failure the rest is settled as if told in vain: that counts too much for a minute, never
// too little.
Task<void> Heartbeat::report() {
  Sent outcome = Sent::answered;
  for (const base::ApiKeyId key : side_.limiter.take_reports()) {
    std::optional<LeaseOrder> order = side_.limiter.open_report(key);
    if (!order) continue;
    if (outcome == Sent::failed) {
      side_.limiter.close_order(key, *order, nullptr);
      continue;
    }
    outcome = co_await send_order(side_, key, std::move(*order), kHeartbeatWait);
  }
}

Task<void> Heartbeat::leave() {
  const Command command = leave_command(side_.fleet.instance());
  const std::vector<std::string_view> words(command.begin(), command.end());
  Result<redis::Reply> reply = co_await side_.client.call(words, kHeartbeatWait);
  (void)reply;  // without it the others set our part aside until we are forgotten
}

Task<void> Heartbeat::run(async::CancelScope& scope) {
  while (!scope.cancelled()) {
    const Sent outcome = co_await beat();
    const bool well = outcome == Sent::answered;
    [[maybe_unused]] const bool time_came =
        co_await async::sleep_for(well ? kHeartbeat : kHeartbeatRetry, scope);
  }
  co_await leave();
}

}  // namespace deeppool::ratelimit
