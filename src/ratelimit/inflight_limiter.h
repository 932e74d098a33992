// Requests in flight, per API key. One InflightLimiter for all event loops: counts sharded by key
// behind short locks. Invariant: at every admission, the requests of the key that hold a slot, this
// one included, are within its limit. Each instance counts its own.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/ids.h"

namespace deeppool::ratelimit {

class InflightLimiter;

// Given back when it goes away. Outlived by its limiter.
class [[nodiscard]] InflightSlot {
 public:
  InflightSlot() = default;  // of a key without limit
  InflightSlot(InflightSlot&& other) noexcept
      : limiter_(std::exchange(other.limiter_, nullptr)), key_(other.key_) {}
  InflightSlot& operator=(InflightSlot&& other) noexcept {
    if (this == &other) return *this;
    release();
    limiter_ = std::exchange(other.limiter_, nullptr);
    key_ = other.key_;
    return *this;
  }
  ~InflightSlot() { release(); }
  void release();

 private:
  friend class InflightLimiter;
  InflightSlot(InflightLimiter& limiter, base::ApiKeyId key) : limiter_(&limiter), key_(key) {}
  InflightLimiter* limiter_ = nullptr;
  base::ApiKeyId key_;
};

class InflightLimiter {
 public:
  InflightLimiter() = default;
  InflightLimiter(const InflightLimiter&) = delete;

  // `limit` as the key's row says it; 0: none. rate_limited with retry_after.
  Result<InflightSlot> admit(base::ApiKeyId key, int64_t limit);

 private:
  friend class InflightSlot;
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<base::ApiKeyId, int64_t> counts;  // only keys with something in flight
  };
  Shard& shard(base::ApiKeyId key);
  void release(base::ApiKeyId key);

  std::array<Shard, 64> shards_;
};

}  // namespace deeppool::ratelimit
