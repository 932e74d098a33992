// What the fast path of a limited request costs: all funds held and settled inside leases.
#include <benchmark/benchmark.h>

#include "governance/funds/fund_book.h"

namespace deeppool::governance {
namespace {

// Gives whatever is asked.
class Bottomless final : public LeaseStore {
 public:
  Exchanged exchange(std::span<const LeaseOrder> orders, std::span<LeaseFill> fills) override {
    for (size_t i = 0; i < orders.size(); ++i) fills[i] = {.taken = int64_t{1} << 50};
    return {Landing::done, std::nullopt};
  }
};

void hold_and_settle(FundBook& book, const Demand& demand) {
  Hold hold;
  auto covered = book.raise(hold, demand);
  while (*covered == Covered::not_yet) {
    if (book.join_refill(demand.user, [] {}) == FundBook::Turn::first) book.run_refill(demand.user);
    covered = book.raise(hold, demand);
  }
  hold.settle(0, {});
}

Demand demand_of(int64_t user, int64_t quota, int64_t units) {
  return {.user = base::UserId{user},
          .key = base::ApiKeyId{user},
          .quota_total = quota,
          .tokens = 800,
          .cost = base::Money::units(units)};
}

void BM_Unlimited(benchmark::State& state) {
  Bottomless store;
  const base::SystemClock clock;
  FundBook book(store, clock);
  for (auto _ : state) hold_and_settle(book, demand_of(1, -1, 0));
}
BENCHMARK(BM_Unlimited);

void BM_QuotaAndWallet(benchmark::State& state) {
  static Bottomless store;
  static const base::SystemClock clock;
  static FundBook book(store, clock);
  uint64_t next = static_cast<uint64_t>(state.thread_index());
  for (auto _ : state) {
    next = next * 6364136223846793005u + 1442695040888963407u;
    const auto users = static_cast<uint64_t>(state.range(0));
    hold_and_settle(book, demand_of(static_cast<int64_t>((next >> 33) % users) + 1,
                                    int64_t{1} << 50, 80'000'000));
  }
}
BENCHMARK(BM_QuotaAndWallet)->Arg(1)->Arg(1000)->Arg(100'000)->ArgName("users");
BENCHMARK(BM_QuotaAndWallet)->Arg(1000)->ArgName("users")->Threads(2);

}  // namespace
}  // namespace deeppool::governance
