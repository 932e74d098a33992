// FundBook: what requests hold of quotas, grants and wallets, all users of one instance, sharded by
// user behind short locks that are never held while waiting. One for all event loops; in memory
// only: what it may give out it has leased from the LeaseStore before. Invariant: the sum of what
// is held and settled never goes above what was leased by admission, so that any number of
// requests, on any number of instances, cannot spend the same token or unit twice.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "governance/funds/account.h"
#include "governance/funds/hold.h"
#include "governance/funds/lease_store.h"
#include "governance/funds/terms.h"

namespace deeppool::governance {

// For tests and metrics.
struct LeaseStanding {
  int64_t idle = 0;
  int64_t held = 0;
};

class FundBook {
 public:
  // All outlive the book, which outlives its holds. `lease_clock` says how long leases count.
  FundBook(LeaseStore& store, const base::Clock& clock, const base::Clock& lease_clock);
  FundBook(LeaseStore& store, const base::Clock& clock) : FundBook(store, clock, clock) {}
  FundBook(const FundBook&) = delete;

  // Grows `hold` (empty: begins it) until it covers `demand`, all or nothing; never waits.
  // not_yet: call join_refill, and again when that is through. Errors: insufficient_quota, saying
  // which fund and how to mend it; unavailable, when leases cannot be had or have lapsed.
  Result<Covered> raise(Hold& hold, const Demand& demand);

  // After not_yet. `then` is called once, on any thread, perhaps at once, when raise() may have
  // another answer. first: the caller has run_refill() carried out on a thread that may block.
  enum class Turn { first, waits };
  Turn join_refill(base::UserId user, std::function<void()> then);
  // Blocking: one exchange with the store for all who wait.
  void run_refill(base::UserId user);
  // Instead of it, when no thread is to be had: the waiters go on and fail.
  void abandon_refill(base::UserId user);

  // Blocking: gives back what has been idle since `since`, forgets whom nobody asks for.
  void return_idle(base::Instant since);

  // In force for every raise() that begins afterwards.
  void set_terms(std::shared_ptr<const Terms> terms);
  // Whether the store has called a grant of the terms spent since the last call.
  bool take_spent() { return spent_.exchange(false); }
  // Until when leases count: the store's expiry as lease_clock sees it. Without a call: for ever.
  void set_usable_until(base::Instant until) { usable_until_.store(until); }

  LeaseStanding standing(base::UserId user, FundId fund) const;
  size_t accounts() const;

 private:
  friend class Hold;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::unordered_map<base::UserId, std::unique_ptr<Account>> accounts;
    std::shared_ptr<const Terms> terms;
  };
  static constexpr size_t kShards = 128;
  // Orders of several accounts on their way to the store, in its order of locking.
  struct Batch {
    std::vector<LeaseOrder> orders;
    std::vector<Account*> owners;
  };

  const Shard& shard(base::UserId user) const;
  Shard& shard(base::UserId user);
  Account& account_of(Shard& home, base::UserId user);
  Account::Moment moment(const Shard& shard) const;
  void settle(Account& account, const HoldState& hold, int64_t tokens, base::Money charge);
  void carry_out(Batch batch);
  void note(const std::optional<Error>& error);
  bool gather_returns(Shard& shard, base::Instant since, Batch& batch);

  LeaseStore& store_;
  const base::Clock& clock_;
  const base::Clock& lease_clock_;
  std::atomic<base::Instant> usable_until_{base::Instant::max()};
  std::atomic<bool> failing_{false};
  std::atomic<bool> spent_{false};
  std::atomic<int64_t> sequence_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace deeppool::governance
