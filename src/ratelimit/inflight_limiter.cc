#include "ratelimit/inflight_limiter.h"

#include <fmt/format.h>

#include "ratelimit/limits.h"

namespace deeppool::ratelimit {

void InflightSlot::release() {
  if (limiter_ != nullptr) std::exchange(limiter_, nullptr)->release(key_);
}

Result<InflightSlot> InflightLimiter::admit(base::ApiKeyId key, int64_t limit) {
  if (limit <= 0) return InflightSlot();
  Shard& home = shard(key);
  {
    const std::lock_guard lock(home.mutex);
    int64_t& count = home.counts[key];
    if (count < limit) {
      ++count;
      return InflightSlot(*this, key);
    }
  }
  Error error(ErrorCode::rate_limited,
              fmt::format("Concurrency limit reached for this API key: {} requests are in flight, "
                          "Limit {}. Wait until one has ended, or raise max_inflight.",
                          limit, limit));
  error.retry_after = kInflightRetryAfter;
  return error;
}

void InflightLimiter::release(base::ApiKeyId key) {
  Shard& home = shard(key);
  const std::lock_guard lock(home.mutex);
  const auto found = home.counts.find(key);
  if (--found->second == 0) home.counts.erase(found);
}

InflightLimiter::Shard& InflightLimiter::shard(base::ApiKeyId key) {
  return shards_[(static_cast<uint64_t>(key.value) * 0x9E3779B97F4A7C15u) >> 58];
}

}  // namespace deeppool::ratelimit
