// Leases in the database: what each instance has set aside of each fund. The books balance in every
// state: a fund's `leased` is the sum of fund_leases.amount over the instances, and what is
// available (total - used - leased; posted + overdraft - leased) never goes under 0 by a lease.
// Blocking: for blocking pools. Safe on every thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "governance/funds/fund.h"
#include "sql/database.h"

namespace deeppool::governance {

// One fund's part of an exchange: what goes back, then what is taken.
struct LeaseOrder {
  FundId fund;
  int64_t returning = 0;  // may be negative: a debt, spent without having been leased
  // Nothing is taken unless `least` is available; then up to `wanted`, or more of a large fund
  // that nobody recalls.
  int64_t least = 0;
  int64_t wanted = 0;
  int64_t limit = 0;                     // of the fund, as the account knew it when it asked
  int64_t sequence = 0;                  // of this process: 1, 2, ...
  std::optional<int64_t> doubtful = {};  // sequence of an earlier order whose fate is not known
};
struct LeaseFill {
  int64_t taken = 0;
  int64_t available = 0;  // left for others afterwards
  bool spent = false;     // nothing can ever come back to it
  bool doubtful_landed = false;
};

// How an exchange ended. In doubt: the server was lost while it committed.
enum class Landing { done, failed, in_doubt };

class LeaseStore {
 public:
  virtual ~LeaseStore() = default;
  // All orders in one transaction; `fills` has one element per order and is filled unless `failed`.
  struct Exchanged {
    Landing landing = Landing::failed;
    std::optional<Error> error;  // unless done
  };
  virtual Exchanged exchange(std::span<const LeaseOrder> orders, std::span<LeaseFill> fills) = 0;
};

class SqlLeaseStore final : public LeaseStore {
 public:
  // `database` outlives the store; `instance` is the spool's.
  SqlLeaseStore(sql::Database& database, const base::RequestId& instance);

  // Begins a new epoch of this instance (an older process with the same id can lease no more) and
  // gives back what an earlier run had leased. Only after its whole spool was applied.
  Result<void> claim();
  // All leases of this instance go back; only when its whole spool was applied.
  Result<void> release();
  // Keeps this instance's leases for another kLeaseLife. permission_denied: another process has its
  // id, or an administrator has declared it lost; its leases are void.
  Result<void> renew();

  Exchanged exchange(std::span<const LeaseOrder> orders, std::span<LeaseFill> fills) override;

 private:
  sql::Database& database_;
  const std::string instance_;
  int64_t epoch_ = 0;
};

// For administrators. An instance as the others see it.
struct InstanceStanding {
  std::string instance;
  std::string host;
  int64_t started_at_ms = 0;
  int64_t seen_at_ms = 0;
  bool lapsed = false;  // unseen for longer than its leases live, and the grace: may be reclaimed
  int64_t leases = 0;   // funds of which it holds something
};
Result<std::vector<InstanceStanding>> list_instances(sql::Reader& reader);
// Declares an instance lost: what it had leased is available again. What its spool still holds is
// posted if it ever comes back, then perhaps below a balance's floor; hence only an administrator
// decides this. Inside a transaction. not_found; conflict while it is not lapsed. Returns the
// number of leases.
Result<int64_t> reclaim_instance(sql::Writer& tx, const std::string& instance);

}  // namespace deeppool::governance
