#include "governance/funds/funds.h"

#include "base/log.h"
#include "governance/funds/limits.h"

namespace deeppool::governance {
namespace {

// Somebody who waits on a loop for a refill that ends on a thread.
struct Waiter {
  explicit Waiter(async::Loop& l) : loop(l), parker(l) {}
  async::Loop& loop;
  async::Parker parker;
};

Error store_too_slow() {
  Error error(ErrorCode::unavailable,
              "Quotas and balances cannot be looked up at the moment. Try again shortly.",
              "no refill of leases in time");
  error.retry_after = std::chrono::seconds(1);
  return error;
}

}  // namespace

Funds::Funds(sql::Database& database, const base::RequestId& instance, const base::Clock& clock)
    : database_(database),
      clock_(clock),
      store_(database, instance),
      book_(store_, clock, lease_clock_),
      pool_(std::in_place, "funds", kRefillThreads, kRefillQueue) {}

Result<void> Funds::claim() {
  DP_CHECK(store_.claim());
  return renew();
}

Result<void> Funds::load_terms() {
  DP_TRY(auto reader, database_.read());
  DP_TRY(const int64_t version, terms_version(reader));
  if (version == terms_version_) return {};
  return read_terms(reader);
}

Result<void> Funds::read_terms(sql::Reader& reader) {
  DP_TRY(auto terms, governance::load_terms(reader));
  terms_version_ = terms->version;
  terms_read_at_ = clock_.now();
  book_.set_terms(std::move(terms));
  return {};
}

Result<void> Funds::forget_spent_grants() {
  if (clock_.now() - terms_read_at_ < kSpentGrantLife || !book_.take_spent()) return {};
  DP_TRY(auto reader, database_.read());
  return read_terms(reader);
}

Task<Result<void>> Funds::cover(Hold& hold, Demand demand) {
  const base::Deadline deadline{async::Loop::current().now() + kRefillWait};
  for (int i = 0; i < kMaxRefills; ++i) {
    Result<Covered> covered = book_.raise(hold, demand);
    if (!covered) co_return std::move(covered).error();
    if (*covered == Covered::yes) co_return Result<void>();
    const bool came = co_await refilled(demand.user, deadline);
    if (!came) break;
  }
  co_return store_too_slow();
}

Task<bool> Funds::refilled(base::UserId user, base::Deadline deadline) {
  auto waiter = std::make_shared<Waiter>(async::Loop::current());
  // Handed over whole: the waiter, with its timer, must die on its loop.
  const auto turn = book_.join_refill(user, [waiter]() mutable {
    async::Loop& loop = waiter->loop;
    loop.post([done = std::move(waiter)] { done->parker.wake(); });
  });
  if (turn == FundBook::Turn::first && !pool_->enqueue([this, user] { book_.run_refill(user); })) {
    book_.abandon_refill(user);
  }
  const async::Parker::Outcome outcome = co_await waiter->parker.park(deadline);
  co_return outcome == async::Parker::Outcome::woken;
}

// Blocking.
void Funds::look_after() {
  if (lease_clock_.now() - renewed_at_ >= kRenewInterval) {
    if (const auto renewed = renew(); !renewed) {
      log::error("leases of funds could not be renewed; without them limited requests are refused",
                 {{"message", renewed.error().message}, {"detail", renewed.error().detail}});
    }
  }
  book_.return_idle(clock_.now() - kIdleBeforeReturn);
}

// What counts is when it was asked for: the store's expiry is never earlier.
Result<void> Funds::renew() {
  const base::Instant asked = lease_clock_.now();
  const auto renewed = store_.renew();
  if (renewed) {
    renewed_at_ = asked;
    book_.set_usable_until(asked + kLeaseLife);
  } else if (renewed.error().code == ErrorCode::permission_denied) {
    book_.set_usable_until(asked);
  }
  return renewed ? Result<void>() : Result<void>(Error(renewed.error()));
}

Task<void> Funds::upkeep(async::CancelScope& scope) {
  while (true) {
    const bool waited = co_await async::sleep_for(kUpkeepInterval, scope);
    if (!waited) co_return;
    const base::Deadline deadline{async::Loop::current().now() + kUpkeepDeadline};
    Result<void> done = co_await pool_->run(
        [this] {
          look_after();
          return Result<void>();
        },
        deadline);
    (void)done;  // it says itself what failed; the next turn tries again
  }
}

}  // namespace deeppool::governance
