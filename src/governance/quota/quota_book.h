// Token quotas of API keys, exact while requests run: what is used and what running requests hold.
// One QuotaBook for all event loops, sharded by key behind short locks. Invariant: at every
// admission, used + held of a key (this request included) is within its total; so any number of
// concurrent requests can never spend the same token twice.
// The book is opened after Applier::recover(), when the store's quota_used includes every earlier
// run's spool. From a key's first request on the book counts by itself, keys without a quota too
// (one may be set at any time); the store's figure follows behind through the spool and is not read
// again.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/error.h"
#include "base/ids.h"

namespace deeppool::governance {

// As the key's row says; passed with every request, so that an edited quota is in force at once.
struct QuotaTerms {
  int64_t total = -1;         // tokens; -1: unlimited
  int64_t used_in_store = 0;  // api_keys.quota_used; looked at on the key's first request only
};

struct QuotaStanding {
  int64_t used = 0;
  int64_t held = 0;
};

class QuotaBook;

// What one request may spend. Settle it with what it did spend; dropped without that, it spent
// nothing. Outlived by its book. Used by one thread at a time.
class [[nodiscard]] QuotaHold {
 public:
  QuotaHold() = default;
  QuotaHold(QuotaHold&& other) noexcept;
  QuotaHold& operator=(QuotaHold&& other) noexcept;
  ~QuotaHold() { settle(0); }

  // Holds `tokens` more, for a stream that outgrows its hold. insufficient_quota: nothing has
  // changed; end the stream and settle.
  Result<void> extend(int64_t tokens);
  // Replaces the hold by what was used, even if that is more. Once; later calls do nothing.
  void settle(int64_t used_tokens);
  int64_t tokens() const { return tokens_; }

 private:
  friend class QuotaBook;
  QuotaHold(QuotaBook& book, base::ApiKeyId key, int64_t tokens)
      : book_(&book), key_(key), tokens_(tokens) {}

  QuotaBook* book_ = nullptr;
  base::ApiKeyId key_;
  int64_t tokens_ = 0;
};

class QuotaBook {
 public:
  QuotaBook() = default;
  QuotaBook(const QuotaBook&) = delete;

  // insufficient_quota if used + held + tokens would exceed the total. Negative tokens count as 0.
  Result<QuotaHold> hold(base::ApiKeyId key, QuotaTerms terms, int64_t tokens);
  // As the next hold() would find it.
  QuotaStanding standing(base::ApiKeyId key, QuotaTerms terms) const;

 private:
  friend class QuotaHold;
  struct Entry {
    int64_t total = -1;
    int64_t used = 0;
    int64_t held = 0;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    // 64 bytes a key, never forgotten: what was used here may not be in the store yet.
    std::unordered_map<base::ApiKeyId, Entry> entries;
  };
  static constexpr size_t kShards = 256;

  static size_t shard_of(base::ApiKeyId key);
  static Result<void> take(Entry& entry, int64_t tokens);
  Result<void> extend(base::ApiKeyId key, int64_t tokens);
  void settle(base::ApiKeyId key, int64_t held, int64_t used);

  std::array<Shard, kShards> shards_;
};

}  // namespace deeppool::governance
