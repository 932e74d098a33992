// Account: what this instance has leased of one user's funds and how much of it running requests
// hold. Plain state and arithmetic, no lock and no store: FundBook guards it. Invariant of a lease:
// what the store says is leased here = idle + held + what is settled but not applied yet; idle goes
// below 0 only by a request that cost more than it held, and is made good by the next order.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "governance/funds/fund.h"
#include "governance/funds/hold.h"
#include "governance/funds/lease_store.h"
#include "governance/funds/terms.h"

namespace deeppool::governance {

struct Lease {
  FundId fund;
  int64_t idle = 0;
  int64_t held = 0;
  // The limit (quota's total, overdraft in units) under which it was leased; when that was changed,
  // the idle part goes back and is leased anew. Grants have none.
  int64_t limit = 0;
  base::Instant used_at{};

  // What waiting requests lack: the smallest, and all of them; under which limit.
  int64_t least = 0;
  int64_t wanted = 0;
  int64_t wanted_limit = 0;

  // What the store said last.
  base::Instant refused_until{};
  int64_t available = 0;
  bool spent = false;  // remembered until the terms say so too

  // An order whose fate is not known; the next one finds it out.
  std::optional<LeaseOrder> doubtful = {};
  int64_t doubtful_taken = 0;

  bool blank() const { return idle == 0 && held == 0 && least == 0 && !spent && !doubtful; }
};

enum class Covered { yes, not_yet };

class Account {
 public:
  // `sequence` numbers the orders of all accounts, for as long as leases live.
  Account(base::UserId user, std::atomic<int64_t>& sequence) : user_(user), sequence_(sequence) {}
  base::UserId user() const { return user_; }

  struct Moment {
    base::Instant now;
    int64_t wall_ms;
    const Terms& terms;
  };
  // Grows `hold` to `demand`, all of it or nothing. not_yet: leases are short, and what they lack
  // is noted for the next orders(). Errors: insufficient_quota; unavailable (the store failed
  // lately).
  Result<Covered> raise(HoldState& hold, const Demand& demand, const Moment& moment);
  void settle(const HoldState& hold, int64_t tokens, base::Money charge, base::Instant now);

  // One exchange with the store at a time: orders() begins it, finish() ends it.
  bool exchanging() const { return exchanging_; }
  std::vector<LeaseOrder> orders();
  // Of what lies idle since `since` or is recalled, of grants no longer in force, of doubts and of
  // debts.
  std::vector<LeaseOrder> returns(base::Instant since, const Moment& moment);
  void finish(std::span<const LeaseOrder> orders, std::span<const LeaseFill> fills, Landing landing,
              base::Instant now);

  bool blank() const;
  const Lease* find(FundId fund) const;

  // Called once each when the exchange has ended.
  std::vector<std::function<void()>> waiting;
  int64_t holds = 0;

 private:
  struct Split;  // a raise, worked out and not yet made
  Lease& lease(FundId fund);
  Result<Covered> raise_quota(HoldState& hold, const Demand& demand, const Moment& moment,
                              Split& split);
  Covered split_grants(const HoldState& hold, const Demand& demand, const Moment& moment,
                       Split& split);
  Result<Covered> raise_wallet(HoldState& hold, const Demand& demand, const Moment& moment,
                               Split& split);
  void commit(HoldState& hold, const Demand& demand, const Moment& moment, const Split& split);
  LeaseOrder order(Lease& lease, int64_t returning);

  const base::UserId user_;
  std::atomic<int64_t>& sequence_;
  std::vector<Lease> leases_;  // a handful; searched one by one
  bool exchanging_ = false;
  base::Instant failed_until_{};
};

}  // namespace deeppool::governance
