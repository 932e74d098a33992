#include "governance/funds/account.h"

#include <fmt/format.h>

#include <algorithm>

#include "governance/funds/limits.h"
#include "governance/limits.h"

namespace deeppool::governance {
namespace {

using base::Money;

constexpr const char* kAskForLess = "ask for fewer output tokens (max_tokens)";

Error quota_spent(int64_t available, int64_t wanted) {
  return Error(ErrorCode::insufficient_quota,
               fmt::format("This API key's token quota does not cover the request: {} tokens of it "
                           "are left, the request may take {}. Raise the key's quota, or {}.",
                           std::max<int64_t>(available, 0), wanted, kAskForLess));
}

Error money_spent(int64_t available, int64_t wanted) {
  return Error(
      ErrorCode::insufficient_quota,
      fmt::format("The balance does not cover the request: {} yuan are available, the request "
                  "may cost up to {} yuan beyond free tokens. Top up the wallet, or {}.",
                  Money::units(std::max<int64_t>(available, 0)).to_string(),
                  Money::units(wanted).to_string(), kAskForLess));
}

Error store_away() {
  Error error(ErrorCode::unavailable,
              "Quotas and balances cannot be looked up at the moment. Try again shortly.",
              "the last exchange of leases failed");
  error.retry_after = std::chrono::seconds(1);
  return error;
}

// Notes what a request lacks of a lease.
void want(Lease& lease, int64_t least, int64_t wanted, int64_t limit) {
  lease.least = lease.least == 0 ? least : std::min(lease.least, least);
  lease.wanted = std::min(lease.wanted + wanted, kMaxQuotaTokens);
  lease.wanted_limit = limit;
}

void forget_wants(Lease& lease) {
  lease.least = 0;
  lease.wanted = 0;
}

enum class Cover { enough, short_of, refused };

// Whether `more` can be held of a lease under today's limit.
Cover cover(Lease& lease, int64_t more, int64_t limit, base::Instant now) {
  const bool current = lease.limit == limit;
  if (current && lease.idle >= more) return Cover::enough;
  const int64_t lack = current ? more - lease.idle : more;
  if (current && now < lease.refused_until && lack > lease.available) return Cover::refused;
  want(lease, lack, lack, limit);
  return Cover::short_of;
}

}  // namespace

// What a raise takes in addition, by fund.
struct Account::Split {
  int64_t quota = 0;
  GrantParts grants;  // those of the hold, and more
  Money money;
  int64_t discount_ppm = 0;
  bool priced = false;
};

Lease& Account::lease(FundId fund) {
  for (Lease& each : leases_) {
    if (each.fund == fund) return each;
  }
  return leases_.emplace_back(Lease{.fund = fund});
}

const Lease* Account::find(FundId fund) const {
  for (const Lease& each : leases_) {
    if (each.fund == fund) return &each;
  }
  return nullptr;
}

Result<Covered> Account::raise(HoldState& hold, const Demand& demand, const Moment& moment) {
  Split split;
  DP_TRY(const Covered quota, raise_quota(hold, demand, moment, split));
  Covered money = Covered::yes;
  if (demand.cost > Money() || hold.priced) {
    money = split_grants(hold, demand, moment, split);
    if (money == Covered::yes) {
      DP_TRY(money, raise_wallet(hold, demand, moment, split));
    }
  }
  if (quota == Covered::yes && money == Covered::yes) {
    commit(hold, demand, moment, split);
    return Covered::yes;
  }
  if (moment.now < failed_until_) return store_away();
  return Covered::not_yet;
}

Result<Covered> Account::raise_quota(HoldState& hold, const Demand& demand, const Moment& moment,
                                     Split& split) {
  if (demand.quota_total < 0) return Covered::yes;
  split.quota = std::max<int64_t>(demand.tokens - hold.of_quota.value_or(0), 0);
  if (split.quota == 0) return Covered::yes;
  Lease& of = lease({FundKind::quota, demand.key.value});
  const Cover covered = cover(of, split.quota, demand.quota_total, moment.now);
  if (covered == Cover::refused) return quota_spent(of.idle + of.available, split.quota);
  return covered == Cover::enough ? Covered::yes : Covered::not_yet;
}

// Grants cover what they can, in order; a hold keeps the parts it has. What is not known of any of
// them is asked for at once: any number of used-up ones costs one refill, not one each.
Covered Account::split_grants(const HoldState& hold, const Demand& demand, const Moment& moment,
                              Split& split) {
  const UserTerms& terms = moment.terms.of(user_);
  split.priced = true;
  split.discount_ppm =
      hold.priced ? hold.discount_ppm : moment.terms.discount_ppm(terms, moment.wall_ms);
  split.grants = hold.grants;
  int64_t open = demand.tokens - split.grants.tokens();
  size_t asked = 0;
  for (const GrantTerms& grant : terms.grants) {
    if (open <= 0 || asked == kGrantsPerRefill) break;
    if (grant.expires_at_ms <= moment.wall_ms) continue;
    const auto parts = split.grants.list();
    const auto part = std::ranges::find(parts, grant.id, &GrantPart::grant);
    if (part == parts.end() && split.grants.full()) continue;
    Lease& of = lease({FundKind::grant, grant.id.value});
    const int64_t more = std::clamp<int64_t>(of.idle, 0, open);
    const bool dry = of.spent || (moment.now < of.refused_until && of.available <= 0);
    if (more < open && !dry) {
      want(of, 1, open - more, 0);
      ++asked;
    }
    if (more == 0) continue;
    if (part == parts.end()) {
      split.grants.add({grant.id, more});
    } else {
      part->tokens += more;
    }
    open -= more;
  }
  return asked == 0 ? Covered::yes : Covered::not_yet;
}

Result<Covered> Account::raise_wallet(HoldState& hold, const Demand& demand, const Moment& moment,
                                      Split& split) {
  const Money bound =
      payable_bound(demand.cost, demand.tokens, split.grants.tokens(), split.discount_ppm);
  const int64_t more = bound.units() - hold.money.units();
  if (more <= 0) return Covered::yes;
  split.money = Money::units(more);
  Lease& of = lease({FundKind::wallet, user_.value});
  const int64_t overdraft = moment.terms.of(user_).overdraft.units();
  const Cover covered = cover(of, more, overdraft, moment.now);
  if (covered == Cover::refused) return money_spent(of.idle + of.available, more);
  return covered == Cover::enough ? Covered::yes : Covered::not_yet;
}

void Account::commit(HoldState& hold, const Demand& demand, const Moment& moment,
                     const Split& split) {
  const auto take = [&](FundId fund, int64_t amount) {
    Lease& of = lease(fund);
    of.idle -= amount;
    of.held += amount;
    of.used_at = moment.now;
  };
  if (demand.quota_total >= 0) {
    take({FundKind::quota, demand.key.value}, split.quota);
    hold.of_quota = hold.of_quota.value_or(0) + split.quota;
  }
  for (const GrantPart& part : split.grants.list()) {
    int64_t had = 0;
    for (const GrantPart& old : hold.grants.list()) had += old.grant == part.grant ? old.tokens : 0;
    if (part.tokens > had) take({FundKind::grant, part.grant.value}, part.tokens - had);
  }
  if (split.money > Money()) take({FundKind::wallet, user_.value}, split.money.units());
  hold.key = demand.key;
  hold.tokens = std::max(hold.tokens, demand.tokens);
  if (!split.priced) return;
  hold.priced = true;
  hold.grants = split.grants;
  hold.money = Money::units(hold.money.units() + split.money.units());
  hold.discount_ppm = split.discount_ppm;
}

void Account::settle(const HoldState& hold, int64_t tokens, Money charge, base::Instant now) {
  const auto put_back = [&](FundId fund, int64_t held, int64_t used) {
    Lease& of = lease(fund);
    of.held -= held;
    of.idle += held - used;
    of.used_at = now;
  };
  if (hold.of_quota) put_back({FundKind::quota, hold.key.value}, *hold.of_quota, tokens);
  int64_t open = tokens;
  for (const GrantPart& part : hold.grants.list()) {
    const int64_t used = std::min(open, part.tokens);
    open -= used;
    put_back({FundKind::grant, part.grant.value}, part.tokens, used);
  }
  if (hold.money != Money() || charge != Money()) {
    put_back({FundKind::wallet, user_.value}, hold.money.units(), charge.units());
  }
}

LeaseOrder Account::order(Lease& of, int64_t returning) {
  LeaseOrder order{.fund = of.fund, .returning = returning, .sequence = ++sequence_};
  of.idle -= returning;
  if (of.doubtful) order.doubtful = of.doubtful->sequence;
  return order;
}

std::vector<LeaseOrder> Account::orders() {
  std::vector<LeaseOrder> orders;
  for (Lease& of : leases_) {
    if (of.least == 0) continue;
    const bool anew = of.idle < 0 || of.limit != of.wanted_limit;
    LeaseOrder& order = orders.emplace_back(this->order(of, anew ? of.idle : 0));
    order.least = of.least;
    order.wanted = of.wanted;
    order.limit = of.wanted_limit;
    forget_wants(of);
  }
  std::ranges::sort(orders, {}, &LeaseOrder::fund);
  exchanging_ = !orders.empty();
  return orders;
}

std::vector<LeaseOrder> Account::returns(base::Instant since, const Moment& moment) {
  std::vector<LeaseOrder> orders;
  const UserTerms& terms = moment.terms.of(user_);
  for (Lease& of : leases_) {
    const bool over = of.fund.kind == FundKind::grant &&
                      std::ranges::find(terms.grants, base::GrantId{of.fund.id}, &GrantTerms::id) ==
                          terms.grants.end();
    const bool unused = over || of.used_at <= since;
    if (unused) forget_wants(of);  // who noted them has given up, or notes them again
    if (over) of.spent = false;    // nobody asks for it any more
    const bool recalled =
        of.fund.kind == FundKind::wallet && terms.recalled_until_ms > moment.wall_ms;
    const bool back = of.idle < 0 || ((unused || recalled) && of.idle > 0);
    if (back || of.doubtful) orders.push_back(order(of, back ? of.idle : 0));
  }
  std::ranges::sort(orders, {}, &LeaseOrder::fund);
  exchanging_ = !orders.empty();
  return orders;
}

void Account::finish(std::span<const LeaseOrder> orders, std::span<const LeaseFill> fills,
                     Landing landing, base::Instant now) {
  exchanging_ = false;
  if (landing != Landing::done) failed_until_ = now + kRefusalMemory;
  for (size_t i = 0; i < orders.size(); ++i) {
    Lease& of = lease(orders[i].fund);
    const LeaseFill& fill = fills[i];
    if (landing == Landing::failed) {
      of.idle += orders[i].returning;
      continue;
    }
    if (of.doubtful) {
      of.idle += fill.doubtful_landed ? of.doubtful_taken : of.doubtful->returning;
      of.doubtful.reset();
    }
    if (landing == Landing::in_doubt) {
      // Until the next order knows better: nothing was taken, all was given.
      of.doubtful = orders[i];
      of.doubtful_taken = fill.taken;
      continue;
    }
    if (orders[i].wanted > 0) of.limit = orders[i].limit;
    of.idle += fill.taken;
    of.available = fill.available;
    of.spent = fill.spent;
    const bool refused = fill.taken < orders[i].wanted;
    of.refused_until = refused ? now + kRefusalMemory : base::Instant{};
  }
}

bool Account::blank() const {
  return holds == 0 && !exchanging_ && waiting.empty() &&
         std::ranges::all_of(leases_, &Lease::blank);
}

}  // namespace deeppool::governance
