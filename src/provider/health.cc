#include "provider/health.h"

#include <algorithm>
#include <cmath>

namespace deeppool::provider {
namespace {

int64_t second_of(base::Instant t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

// `value` after `passed` of forgetting.
double faded(double value, base::Duration passed) {
  const double memory = std::chrono::duration<double>(kLatencyMemory).count();
  return value * std::exp(-std::max(0.0, std::chrono::duration<double>(passed).count()) / memory);
}

}  // namespace

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::connect:
      return "connect";
    case Fault::timeout:
      return "timeout";
    case Fault::server_error:
      return "server_error";
    case Fault::bad_answer:
      return "bad_answer";
    case Fault::rate_limited:
      return "rate_limited";
    case Fault::refused:
      return "refused";
    case Fault::stream_broken:
      return "stream_broken";
  }
  return "";
}

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::healthy:
      return "healthy";
    case Standing::ejected:
      return "ejected";
    case Standing::half_open:
      return "half_open";
  }
  return "";
}

EndpointSlot& EndpointSlot::operator=(EndpointSlot&& other) noexcept {
  if (this == &other) return *this;
  release();
  health_ = std::move(other.health_);
  epoch_ = other.epoch_;
  since_ = other.since_;
  probe_ = std::exchange(other.probe_, false);
  return *this;
}

void EndpointSlot::succeeded(base::Instant now) {
  if (!health_) return;
  const std::scoped_lock lock(health_->mutex_);
  health_->observe(now - since_, now);
  health_->report_good(*this, now);
}

void EndpointSlot::answered(base::Instant now) {
  if (!health_) return;
  const std::scoped_lock lock(health_->mutex_);
  health_->report_good(*this, now);
}

void EndpointSlot::failed(Fault fault, std::optional<base::Duration> retry_after, base::Instant now,
                          base::Random& random) {
  if (!health_) return;
  const std::scoped_lock lock(health_->mutex_);
  health_->report_bad(*this, fault, retry_after, now, random);
}

void EndpointSlot::outrun(base::Instant now) {
  if (!health_) return;
  const std::scoped_lock lock(health_->mutex_);
  const base::Duration least = now - since_;
  if (least > health_->latency(now)) health_->observe(least, now);
}

void EndpointSlot::lives(base::Instant now) {
  if (!health_) return;
  EndpointHealth& h = *health_;
  const std::scoped_lock lock(h.mutex_);
  if (!h.closed_ || epoch_ != h.epoch_) return;
  if (h.last_fault_ == Fault::connect || h.last_fault_ == Fault::refused) {
    h.report_good(*this, now);
    return;
  }
  h.end_probe(*this);
  h.lives_ = true;
}

void EndpointSlot::release() {
  if (!health_) return;
  health_->inflight_.fetch_sub(1, std::memory_order_relaxed);
  if (probe_) {
    const std::scoped_lock lock(health_->mutex_);
    health_->end_probe(*this);
  }
  health_.reset();
}

EndpointHealth::Entry EndpointHealth::enter(int64_t max_inflight, base::Instant now,
                                            Insist insist) {
  const std::scoped_lock lock(mutex_);
  Entry entry;
  if (max_inflight > 0 && inflight() >= max_inflight) {
    entry.refusal = Refusal::full;
    return entry;
  }
  if (closed_) {
    const bool over = now >= until_;
    const bool look = told_to_wait_ && insist == Insist::yes && now >= look_at_;
    if ((over || look) && !probing_) {
      probing_ = true;
      entry.slot.probe_ = true;
    } else if (insist == Insist::no || (told_to_wait_ && !over)) {
      entry.refusal = told_to_wait_ && !over ? Refusal::told_to_wait : Refusal::ejected;
      entry.until = until_;
      return entry;
    }
  }
  inflight_.fetch_add(1, std::memory_order_relaxed);
  entry.slot.health_ = shared_from_this();
  entry.slot.epoch_ = epoch_;
  entry.slot.since_ = now;
  return entry;
}

// Whether `slot` is the probe of now: it is no longer.
bool EndpointHealth::end_probe(EndpointSlot& slot) {
  if (!std::exchange(slot.probe_, false) || slot.epoch_ != epoch_) return false;
  probing_ = false;
  return true;
}

EndpointHealth::Bucket& EndpointHealth::bucket(base::Instant now) {
  const int64_t second = second_of(now);
  Bucket& b = window_[static_cast<size_t>(second) % window_.size()];
  if (b.second != second) b = {second, 0, 0};
  return b;
}

EndpointHealth::Counted EndpointHealth::recent(base::Instant now) const {
  const int64_t second = second_of(now);
  Counted sum;
  for (const Bucket& b : window_) {
    if (b.second < 0 || b.second > second || b.second <= second - kErrorWindowSeconds) continue;
    sum.good += b.good;
    sum.bad += b.bad;
  }
  return sum;
}

void EndpointHealth::report_good(EndpointSlot& slot, base::Instant now) {
  // Begun before it was ejected: late, and no news.
  if (slot.epoch_ != epoch_) return;
  ++bucket(now).good;
  consecutive_ = 0;
  if (!closed_) return;
  end_probe(slot);
  open(now);
}

void EndpointHealth::report_bad(EndpointSlot& slot, Fault fault,
                                std::optional<base::Duration> retry_after, base::Instant now,
                                base::Random& random) {
  last_fault_ = fault;
  last_fault_at_ = now;
  const bool probe = end_probe(slot);
  if (slot.epoch_ != epoch_) return;
  ++bucket(now).bad;
  ++consecutive_;
  // Somebody insisted, in vain: it stays ejected as long as it was to be, unless it says more.
  if (closed_ && !probe && !retry_after) return;
  const Counted counted = recent(now);
  const bool often = counted.bad >= kEjectAfterFailures &&
                     static_cast<double>(counted.bad) >=
                         kEjectErrorRate * static_cast<double>(counted.good + counted.bad);
  const bool at_once =
      probe || retry_after || fault == Fault::rate_limited || fault == Fault::refused;
  if (!at_once && consecutive_ < kEjectAfterFailures && !often) return;
  // The same trouble as last time?
  const base::Duration probation = std::max<base::Duration>(kProbation, last_length_);
  const bool again = closed_ || (opened_at_ && now - *opened_at_ < probation);
  level_ = again ? level_ + 1 : 0;
  const base::Duration usual = ejection(fault, random);
  if (retry_after) {
    const base::Duration told =
        std::clamp<base::Duration>(*retry_after, base::Duration::zero(), kLongestRetryAfter);
    close({told, usual, true}, now);
  } else {
    close({usual, {}, false}, now);
  }
}

base::Duration EndpointHealth::ejection(Fault fault, base::Random& random) const {
  const bool refused = fault == Fault::refused;
  const base::Duration first = refused ? kFirstRefusalEjection : kFirstEjection;
  const base::Duration longest = refused ? kLongestRefusalEjection : kLongestEjection;
  const base::Duration whole = std::min(longest, first * (int64_t{1} << std::min(level_, 10)));
  const double factor = 1 + kEjectionJitter * (2 * random.next_unit() - 1);
  return base::Duration(static_cast<int64_t>(static_cast<double>(whole.count()) * factor));
}

void EndpointHealth::close(Closing closing, base::Instant now) {
  closed_ = true;
  told_to_wait_ = closing.told;
  until_ = now + closing.length;
  look_at_ = now + closing.look;
  last_length_ = closing.length;
  probing_ = false;
  lives_ = false;
  ++epoch_;
  ++ejections_;
  closed_hint_.store(true, std::memory_order_relaxed);
}

void EndpointHealth::open(base::Instant now) {
  closed_ = false;
  told_to_wait_ = false;
  opened_at_ = now;
  consecutive_ = 0;
  window_.fill({});
  ++epoch_;
  closed_hint_.store(false, std::memory_order_relaxed);
}

void EndpointHealth::readmit(base::Instant now) {
  const std::scoped_lock lock(mutex_);
  open(now);
  level_ = 0;
  probing_ = false;
  opened_at_.reset();
  last_length_ = {};
}

bool EndpointHealth::wants_probe(base::Instant now) const {
  if (healthy()) return false;
  const std::scoped_lock lock(mutex_);
  return closed_ && !probing_ && !lives_ && now >= until_;
}

// Peak EWMA, as in Finagle: a higher sample counts at once, a lower one by the time since the last.
void EndpointHealth::observe(base::Duration sample, base::Instant now) {
  const double before = static_cast<double>(latency_ns_.load(std::memory_order_relaxed));
  const double fresh = static_cast<double>(sample.count());
  const base::Duration passed(now.time_since_epoch().count() -
                              latency_at_ns_.load(std::memory_order_relaxed));
  const double kept = faded(1, passed);
  const double mixed = fresh >= before ? fresh : before * kept + fresh * (1 - kept);
  latency_ns_.store(static_cast<int64_t>(mixed), std::memory_order_relaxed);
  latency_at_ns_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

base::Duration EndpointHealth::latency(base::Instant now) const {
  const int64_t at = latency_at_ns_.load(std::memory_order_relaxed);
  const double last = static_cast<double>(latency_ns_.load(std::memory_order_relaxed));
  // Without news an old peak fades, so that who was slow once is tried again.
  return base::Duration(
      static_cast<int64_t>(faded(last, base::Duration(now.time_since_epoch().count() - at))));
}

EndpointHealth::View EndpointHealth::view(base::Instant now) const {
  const std::scoped_lock lock(mutex_);
  View v;
  if (closed_) v.standing = now < until_ ? Standing::ejected : Standing::half_open;
  v.told_to_wait = told_to_wait_;
  v.until = until_;
  v.consecutive_failures = consecutive_;
  const Counted counted = recent(now);
  v.recent_requests = counted.good + counted.bad;
  if (v.recent_requests > 0) {
    v.error_rate = static_cast<double>(counted.bad) / static_cast<double>(v.recent_requests);
  }
  v.latency = base::Duration(latency_ns_.load(std::memory_order_relaxed));
  v.inflight = inflight();
  v.ejections = ejections_;
  v.last_fault = last_fault_;
  v.last_fault_at = last_fault_at_;
  return v;
}

}  // namespace deeppool::provider
