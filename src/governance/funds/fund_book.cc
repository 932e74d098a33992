#include "governance/funds/fund_book.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "governance/funds/limits.h"
#include "governance/limits.h"

namespace deeppool::governance {
namespace {

Error leases_lapsed() {
  Error error(ErrorCode::unavailable,
              "Quotas and balances cannot be looked up at the moment. Try again shortly.",
              "this instance could not renew its leases in time");
  error.retry_after = std::chrono::seconds(5);
  return error;
}

Demand sane(const Demand& demand) {
  Demand out = demand;
  out.tokens = std::clamp<int64_t>(demand.tokens, 0, kMaxRequestTokens);
  out.cost = std::max(demand.cost, base::Money());
  return out;
}

void call_all(std::vector<std::function<void()>>& waiting) {
  for (auto& then : waiting) then();
}

}  // namespace

FundBook::FundBook(LeaseStore& store, const base::Clock& clock, const base::Clock& lease_clock)
    : store_(store), clock_(clock), lease_clock_(lease_clock) {
  set_terms(std::make_shared<const Terms>());
}

Result<Covered> FundBook::raise(Hold& hold, const Demand& demand) {
  if (demand.quota_total < 0 && demand.cost <= base::Money() && !hold.limited()) {
    return Covered::yes;
  }
  Shard& home = shard(demand.user);
  const std::lock_guard lock(home.mutex);
  const Account::Moment now = moment(home);
  if (lease_clock_.now() >= usable_until_.load(std::memory_order_relaxed)) return leases_lapsed();
  Account& account = account_of(home, demand.user);
  DP_TRY(const Covered covered, account.raise(hold.state_, sane(demand), now));
  if (covered == Covered::yes && hold.book_ == nullptr) {
    hold.book_ = this;
    hold.account_ = &account;
    ++account.holds;
  }
  return covered;
}

void FundBook::settle(Account& account, const HoldState& hold, int64_t tokens, base::Money charge) {
  Shard& home = shard(account.user());
  const std::lock_guard lock(home.mutex);
  account.settle(hold, std::clamp<int64_t>(tokens, 0, kMaxRequestTokens), charge, clock_.now());
  --account.holds;
}

FundBook::Turn FundBook::join_refill(base::UserId user, std::function<void()> then) {
  Shard& home = shard(user);
  {
    const std::lock_guard lock(home.mutex);
    Account& account = account_of(home, user);
    account.waiting.push_back(std::move(then));
    if (account.waiting.size() > 1 || account.exchanging()) return Turn::waits;
  }
  return Turn::first;
}

void FundBook::run_refill(base::UserId user) {
  Shard& home = shard(user);
  std::vector<std::function<void()>> waiting;
  Batch batch;
  {
    const std::lock_guard lock(home.mutex);
    Account& account = account_of(home, user);
    // Somebody else's exchange calls the waiters when it is through.
    if (account.exchanging()) return;
    batch.orders = account.orders();
    batch.owners.assign(batch.orders.size(), &account);
    if (batch.orders.empty()) waiting.swap(account.waiting);
  }
  call_all(waiting);
  carry_out(std::move(batch));
}

void FundBook::abandon_refill(base::UserId user) {
  Shard& home = shard(user);
  std::vector<std::function<void()>> waiting;
  {
    const std::lock_guard lock(home.mutex);
    Account& account = account_of(home, user);
    if (account.exchanging()) return;
    account.finish({}, {}, Landing::failed, clock_.now());
    waiting.swap(account.waiting);
  }
  call_all(waiting);
}

// Blocks. The accounts of a batch stay where they are: an exchange keeps them.
void FundBook::carry_out(Batch batch) {
  if (batch.orders.empty()) return;
  std::vector<LeaseFill> fills(batch.orders.size());
  const LeaseStore::Exchanged done = store_.exchange(batch.orders, fills);
  note(done.error);
  if (std::ranges::any_of(fills, &LeaseFill::spent)) spent_ = true;
  std::vector<std::function<void()>> waiting;
  for (size_t first = 0; first < batch.orders.size();) {
    Account& account = *batch.owners[first];
    size_t end = first;
    while (end < batch.orders.size() && batch.owners[end] == &account) ++end;
    const std::lock_guard lock(shard(account.user()).mutex);
    account.finish(std::span(batch.orders).subspan(first, end - first),
                   std::span(fills).subspan(first, end - first), done.landing, clock_.now());
    std::ranges::move(account.waiting, std::back_inserter(waiting));
    account.waiting.clear();
    first = end;
  }
  call_all(waiting);
}

// Once per outage, not once per exchange.
void FundBook::note(const std::optional<Error>& error) {
  if (failing_.exchange(error.has_value()) == error.has_value()) return;
  if (error) {
    log::error("funds cannot be leased; limited requests are refused when leases are used up",
               {{"message", error->message}, {"detail", error->detail}});
  } else {
    log::info("funds are leased again", {});
  }
}

bool FundBook::gather_returns(Shard& home, base::Instant since, Batch& batch) {
  const std::lock_guard lock(home.mutex);
  const Account::Moment now = moment(home);
  for (auto at = home.accounts.begin(); at != home.accounts.end();) {
    Account& account = *at->second;
    if (account.exchanging()) {
      ++at;
      continue;
    }
    const auto orders = account.returns(since, now);
    for (const LeaseOrder& order : orders) {
      batch.orders.push_back(order);
      batch.owners.push_back(&account);
    }
    at = account.blank() ? home.accounts.erase(at) : std::next(at);
    if (batch.orders.size() >= kReturnBatch) return true;
  }
  return false;
}

void FundBook::return_idle(base::Instant since) {
  Batch batch;
  for (Shard& home : shards_) {
    while (gather_returns(home, since, batch)) carry_out(std::exchange(batch, {}));
  }
  carry_out(std::move(batch));
}

void FundBook::set_terms(std::shared_ptr<const Terms> terms) {
  for (Shard& home : shards_) {
    std::shared_ptr<const Terms> fresh = terms;
    const std::lock_guard lock(home.mutex);
    home.terms.swap(fresh);
  }
}

LeaseStanding FundBook::standing(base::UserId user, FundId fund) const {
  const Shard& home = shard(user);
  const std::lock_guard lock(home.mutex);
  const auto account = home.accounts.find(user);
  const Lease* lease = account == home.accounts.end() ? nullptr : account->second->find(fund);
  return lease == nullptr ? LeaseStanding{} : LeaseStanding{lease->idle, lease->held};
}

size_t FundBook::accounts() const {
  size_t count = 0;
  for (const Shard& home : shards_) {
    const std::lock_guard lock(home.mutex);
    count += home.accounts.size();
  }
  return count;
}

const FundBook::Shard& FundBook::shard(base::UserId user) const {
  // Fibonacci hashing: neighbouring ids must not share a lock, nor equal remainders a bucket.
  return shards_[(static_cast<uint64_t>(user.value) * 0x9E3779B97F4A7C15u) >> 57];
}

FundBook::Shard& FundBook::shard(base::UserId user) {
  return const_cast<Shard&>(std::as_const(*this).shard(user));
}

Account::Moment FundBook::moment(const Shard& home) const {
  return {clock_.now(), base::unix_ms(clock_.wall()), *home.terms};
}

Account& FundBook::account_of(Shard& home, base::UserId user) {
  auto& slot = home.accounts[user];
  if (!slot) slot = std::make_unique<Account>(user, sequence_);
  return *slot;
}

Hold& Hold::operator=(Hold&& other) noexcept {
  if (this == &other) return *this;
  settle(0, {});
  book_ = std::exchange(other.book_, nullptr);
  account_ = other.account_;
  state_ = other.state_;
  return *this;
}

GrantParts Hold::grants_for(int64_t tokens) const {
  GrantParts parts;
  int64_t open = tokens;
  for (const GrantPart& part : state_.grants.list()) {
    const int64_t used = std::min(open, part.tokens);
    if (used > 0) parts.add({part.grant, used});
    open -= used;
  }
  return parts;
}

void Hold::settle(int64_t tokens, base::Money charge) {
  if (book_ == nullptr) return;
  std::exchange(book_, nullptr)->settle(*account_, state_, tokens, charge);
}

}  // namespace deeppool::governance
