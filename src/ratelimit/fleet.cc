#include "ratelimit/fleet.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace deeppool::ratelimit {

FleetView Fleet::view() const {
  const std::lock_guard lock(mutex_);
  FleetView now = view_;
  const bool shared = in_ && clock_.now() < shared_until_;
  now.mode = shared ? Mode::shared : Mode::alone;
  if (in_ && !shared) now.alone_since = shared_until_;
  return now;
}

Beat Fleet::next_beat() {
  const std::lock_guard lock(mutex_);
  if (in_ && clock_.now() >= shared_until_) leave_now(shared_until_);
  if (in_) return {Beat::Kind::stay, confirmed_ms_, known_};
  // Redis's freshness counts from an answer that we have seen: the first message asks for one.
  if (confirmed_ms_ == 0) return {Beat::Kind::hello, 0, known_};
  const bool nothing_to_tell = view_.join == 0 && !admitted_alone_.load(std::memory_order_relaxed);
  return {nothing_to_tell ? Beat::Kind::enter : Beat::Kind::join, std::exchange(confirmed_ms_, 0),
          known_};
}

void Fleet::leave_now(base::Instant now) {
  in_ = false;
  confirmed_ms_ = 0;
  view_.alone_since = now;
  log::warn(
      "limits are not shared: Redis is out of reach or was emptied; "
      "each instance keeps to its part",
      {{"instances", view_.instances}});
}

void Fleet::answered(const Beat& beat, const BeatAnswer& answer) {
  const std::lock_guard lock(mutex_);
  const base::Instant arrived = clock_.now();
  if (in_ && arrived >= shared_until_) leave_now(shared_until_);  // too late: we were alone already
  view_.instances = std::max<int64_t>(answer.instances, 1);
  view_.rank = answer.rank;
  known_ = view_.instances;
  const bool another_epoch = !view_.epoch || *view_.epoch != answer.epoch;
  const bool dropped = answer.standing == BeatAnswer::Standing::dropped;
  if (another_epoch || dropped) {
    view_.epoch = std::make_shared<const std::string>(answer.epoch);
    ring_unknown_ = true;
    if (in_) leave_now(std::min(arrived, shared_until_));
  }
  if (in_) {
    confirmed_ms_ = answer.now_ms;
    shared_until_ = arrived + kMembership;
    return;
  }
  confirmed_ms_ = 0;
  // A Redis that has forgotten what the others did can lend nothing; alone, nobody did anything.
  if (answer.age == BeatAnswer::Age::young && view_.instances > 1) return;
  if (beat.kind == Beat::Kind::hello || beat.kind == Beat::Kind::stay || another_epoch || dropped) {
    confirmed_ms_ = answer.now_ms;
    return;
  }
  in_ = true;
  ++view_.join;
  view_.seed_from = ring_unknown_ ? base::Instant::min() : view_.alone_since;
  ring_unknown_ = false;
  confirmed_ms_ = answer.now_ms;
  shared_until_ = arrived + kMembership;
  log::info("limits are shared over Redis", {{"instances", view_.instances}});
}

}  // namespace deeppool::ratelimit
