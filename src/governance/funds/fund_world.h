// For the tests of funds: a LeaseStore in memory with the books of all instances, which fails and
// forgets on request, and the truths that must hold whatever happens.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "governance/funds/fund_book.h"
#include "governance/funds/limits.h"

namespace deeppool::governance {

struct FakeFund {
  int64_t total = 0;  // with overdraft
  int64_t used = 0;
  int64_t leased = 0;
  int64_t available() const { return total - used - leased; }
};

// The tables, as all instances share them.
struct FakeTables {
  std::mutex mutex;
  std::map<FundId, FakeFund> funds;
  std::map<std::pair<FundId, int>, std::pair<int64_t, int64_t>> leases;  // amount, sequence

  // What every state must satisfy.
  void check() {
    const std::lock_guard lock(mutex);
    std::map<FundId, int64_t> sums;
    for (const auto& [key, lease] : leases) sums[key.first] += lease.first;
    for (const auto& [id, fund] : funds) ASSERT_EQ(fund.leased, sums[id]);
  }
  // As the applier posts a settled request.
  void post(FundId id, int instance, int64_t amount) {
    const std::lock_guard lock(mutex);
    funds[id].used += amount;
    funds[id].leased -= amount;
    leases[{id, instance}].first -= amount;
  }
};

// What an order takes: all there is makes a lease outlast many requests of a test.
enum class Takes { everything, wanted };

class FakeLeaseStore final : public LeaseStore {
 public:
  FakeLeaseStore(FakeTables& tables, int instance, Takes takes)
      : tables_(tables), instance_(instance), takes_(takes) {}

  Exchanged exchange(std::span<const LeaseOrder> orders, std::span<LeaseFill> fills) override {
    if (meanwhile) std::exchange(meanwhile, {})();
    const std::lock_guard lock(tables_.mutex);
    ++exchanges;
    const Landing landing = std::exchange(next, Landing::done);
    if (landing == Landing::failed) return {landing, Error(ErrorCode::unavailable, "away")};
    const auto funds = tables_.funds;
    const auto leases = tables_.leases;
    for (size_t i = 0; i < orders.size(); ++i) fills[i] = fill(orders[i]);
    if (landing == Landing::done) return {landing, std::nullopt};
    if (!doubt_lands) {
      tables_.funds = funds;
      tables_.leases = leases;
    }
    return {landing, Error(ErrorCode::unavailable, "lost")};
  }

  Landing next = Landing::done;
  bool doubt_lands = false;
  std::function<void()> meanwhile;  // during the next exchange
  int exchanges = 0;

 private:
  LeaseFill fill(const LeaseOrder& order) {
    LeaseFill out;
    FakeFund& fund = tables_.funds[order.fund];
    auto& [amount, sequence] = tables_.leases[{order.fund, instance_}];
    out.doubtful_landed = order.doubtful && sequence == *order.doubtful;
    const int64_t available = fund.available() + order.returning;
    if (order.wanted > 0 && available >= std::max<int64_t>(order.least, 1)) {
      out.taken = takes_ == Takes::everything ? available : std::min(order.wanted, available);
    }
    fund.leased += out.taken - order.returning;
    amount += out.taken - order.returning;
    sequence = order.sequence;
    out.available = available - out.taken;
    out.spent = fund.used >= fund.total;
    return out;
  }

  FakeTables& tables_;
  const int instance_;
  const Takes takes_;
};

// As the gateway does it, without waiting.
inline Result<void> cover(FundBook& book, Hold& hold, const Demand& demand) {
  for (int i = 0; i < kMaxRefills; ++i) {
    DP_TRY(const Covered covered, book.raise(hold, demand));
    if (covered == Covered::yes) return {};
    if (book.join_refill(demand.user, [] {}) == FundBook::Turn::first) {
      book.run_refill(demand.user);
    }
  }
  return Error(ErrorCode::unavailable, "no refill covered it");
}

}  // namespace deeppool::governance
