#include "governance/funds/lease_store.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "governance/funds/debts.h"
#include "governance/funds/limits.h"
#include "sql/transaction.h"

namespace deeppool::governance {
namespace {

using base::Money;

// What is there of a fund, before an order.
struct Standing {
  bool exists = false;
  int64_t available = 0;
  bool spent = false;
  bool unlimited = false;  // a quota lifted meanwhile
  bool recalled = false;   // an administrator wants what is not needed
  bool exceeded = false;   // debts are noted
};

Result<Standing> quota_standing(sql::Writer& tx, int64_t key) {
  DP_TRY(const auto row, (tx.query_one<int64_t, int64_t, int64_t, int64_t>(
                             "SELECT quota_total, quota_used, quota_leased, quota_exceeded"
                             " FROM api_keys WHERE id = ? {for_update}",
                             key)));
  if (!row) return Standing{};
  const auto& [total, used, leased, exceeded] = *row;
  return Standing{.exists = true,
                  .available = total - used - leased,
                  .unlimited = total < 0,
                  .exceeded = exceeded > 0};
}

Result<Standing> grant_standing(sql::Writer& tx, int64_t grant) {
  DP_TRY(const auto row,
         (tx.query_one<int64_t, int64_t, int64_t, int64_t, bool>(
             "SELECT tokens_total, tokens_used, tokens_leased, exceeded, CASE WHEN revoked_at"
             " IS NULL AND (expires_at IS NULL OR expires_at > {now_ms}) THEN 1"
             " ELSE 0 END FROM token_grants WHERE id = ? {for_update}",
             grant)));
  if (!row) return Standing{};
  const auto& [total, used, leased, exceeded, valid] = *row;
  return Standing{.exists = true,
                  .available = valid ? total - used - leased : 0,
                  .spent = !valid || used >= total,
                  .exceeded = exceeded > 0};
}

Result<Standing> wallet_standing(sql::Writer& tx, int64_t user) {
  DP_TRY(const auto row, (tx.query_one<Money, Money, Money, Money, bool>(
                             "SELECT posted, leased, exceeded, CASE WHEN allow_overdraft = 1 THEN "
                             "max_overdraft ELSE 0 END,"
                             " CASE WHEN recalled_until > {now_ms} THEN 1 ELSE 0 END"
                             " FROM user_wallets WHERE user_id = ? {for_update}",
                             user)));
  if (!row) return Standing{};
  const auto& [posted, leased, exceeded, overdraft, recalled] = *row;
  const auto available =
      Money::from_units(base::Int128{posted.units()} + overdraft.units() - leased.units());
  return Standing{.exists = true,
                  .available = available ? available->units() : 0,
                  .recalled = recalled,
                  .exceeded = exceeded > Money()};
}

Result<Standing> standing_of(sql::Writer& tx, FundId fund) {
  switch (fund.kind) {
    case FundKind::quota:
      return quota_standing(tx, fund.id);
    case FundKind::grant:
      return grant_standing(tx, fund.id);
    case FundKind::wallet:
      return wallet_standing(tx, fund.id);
  }
  return Standing{};
}

// The guarded step: false if the fund has not got that much.
Result<bool> take_leased(sql::Writer& tx, FundId fund, int64_t by) {
  sql::Outcome done;
  if (fund.kind == FundKind::quota) {
    DP_TRY(done, tx.execute("UPDATE api_keys SET quota_leased = quota_leased + ? WHERE id = ?"
                            " AND (quota_total < 0"
                            " OR quota_total - quota_used - quota_leased >= ?)",
                            by, fund.id, by));
  } else if (fund.kind == FundKind::grant) {
    DP_TRY(done, tx.execute("UPDATE token_grants SET tokens_leased = tokens_leased + ?"
                            " WHERE id = ? AND revoked_at IS NULL"
                            " AND tokens_total - tokens_used - tokens_leased >= ?",
                            by, fund.id, by));
  } else {
    const Money amount = Money::units(by);
    DP_TRY(done,
           tx.execute("UPDATE user_wallets SET leased = leased + {money}, version = version + 1"
                      " WHERE user_id = ? AND posted - leased"
                      " + CASE WHEN allow_overdraft = 1 THEN max_overdraft ELSE 0 END >= {money}",
                      amount, fund.id, amount));
  }
  return done.affected == 1;
}

// Debts (`by` above 0) and give-backs move what is leased without a guard: they state what has
// happened. Debts are noted: so much more may be leased than there is. Whoever never had money
// may owe some, perhaps before the applier has posted it: then his wallet begins here.
Result<void> move_unguarded(sql::Writer& tx, FundId fund, int64_t by) {
  const int64_t debt = std::max<int64_t>(by, 0);
  if (fund.kind == FundKind::quota) {
    DP_CHECK(
        tx.execute("UPDATE api_keys SET quota_leased = quota_leased + ?,"
                   " quota_exceeded = quota_exceeded + ? WHERE id = ?",
                   by, debt, fund.id));
  } else if (fund.kind == FundKind::grant) {
    DP_CHECK(
        tx.execute("UPDATE token_grants SET tokens_leased = tokens_leased + ?,"
                   " exceeded = exceeded + ? WHERE id = ?",
                   by, debt, fund.id));
  } else {
    DP_CHECK(
        tx.execute("INSERT INTO user_wallets (user_id, leased, exceeded, updated_at)"
                   " VALUES (?, ?, ?, {now_ms}) {upsert user_id} leased = leased + {new leased},"
                   " exceeded = exceeded + {new exceeded}, version = version + 1",
                   fund.id, Money::units(by), Money::units(debt)));
  }
  return {};
}

int64_t amount_to_take(const LeaseOrder& order, const Standing& fund) {
  if (order.wanted <= 0 || !fund.exists) return 0;
  if (fund.unlimited) return order.wanted;
  const int64_t available = fund.available;
  if (available < std::max<int64_t>(order.least, 1)) return 0;
  const bool frugal = fund.recalled || available / kSmallFundRequests < order.wanted;
  const int64_t amount = frugal ? order.wanted : std::max(order.wanted, available / kLeaseShare);
  return std::min(amount, available);
}

std::optional<FundKind> parse_kind(std::string_view text) {
  for (const FundKind kind : {FundKind::quota, FundKind::grant, FundKind::wallet}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

// Gives back all that `instance` has leased, in the order in which every transaction locks.
Result<int64_t> release_all(sql::Writer& tx, const std::string& instance) {
  DP_TRY(const auto rows, (tx.query<std::string, int64_t, int64_t>(
                              "SELECT kind, fund_id, amount FROM fund_leases WHERE instance = ?"
                              " {for_update}",
                              instance)));
  std::vector<std::pair<FundId, int64_t>> leases;
  for (const auto& [kind, fund, amount] : rows) {
    const auto known = parse_kind(kind);
    if (known && amount != 0) leases.push_back({{*known, fund}, amount});
  }
  std::ranges::sort(leases);
  for (const auto& [fund, amount] : leases) {
    DP_CHECK(move_unguarded(tx, fund, -amount));
    DP_CHECK(forget_paid_debts(tx, fund));
  }
  DP_CHECK(tx.execute("DELETE FROM fund_leases WHERE instance = ?", instance));
  return static_cast<int64_t>(leases.size());
}

Error voided() {
  return Error(ErrorCode::permission_denied, "This server may not admit paid requests any more.",
               "another process has this instance's id, or it was declared lost; restart it");
}

class Exchange {
 public:
  Exchange(sql::Writer& tx, const std::string& instance) : tx_(tx), instance_(instance) {}

  // Holds for the whole transaction: who raises the epoch waits for it, and then sees its leases.
  Result<void> check_epoch(int64_t epoch) {
    DP_TRY(const auto current,
           tx_.query_one<int64_t>("SELECT epoch FROM instances WHERE instance = ? {for_share}",
                                  instance_));
    return current == epoch ? Result<void>() : voided();
  }

  Result<LeaseFill> fill(const LeaseOrder& order) {
    LeaseFill fill;
    DP_TRY(Standing fund, standing_of(tx_, order.fund));
    // Not before the fund is locked: until then the order in doubt may still be on its way.
    if (order.doubtful) {
      DP_TRY(fill.doubtful_landed, landed(order));
    }
    fund.available += order.returning;
    fill.taken = amount_to_take(order, fund);
    fill.available = fund.available - fill.taken;
    fill.spent = fund.spent;
    if (order.returning != 0) DP_CHECK(move_unguarded(tx_, order.fund, -order.returning));
    if (order.returning < 0 || fund.exceeded) DP_CHECK(forget_paid_debts(tx_, order.fund));
    if (fill.taken > 0) {
      DP_TRY(const bool moved, take_leased(tx_, order.fund, fill.taken));
      if (!moved) {
        return Error(ErrorCode::internal, "Internal error.", "a lease above what was available");
      }
    }
    return fill;
  }

  Result<void> note(const LeaseOrder& order, int64_t by) {
    DP_CHECK(tx_.execute(
        "INSERT INTO fund_leases (kind, fund_id, instance, amount, expires_at, sequence)"
        " VALUES (?, ?, ?, ?, {now_ms} + ?, ?) {upsert kind, fund_id, instance}"
        " amount = amount + {new amount}, expires_at = {new expires_at},"
        " sequence = {new sequence}",
        to_string(order.fund.kind), order.fund.id, instance_, by, kLeaseLife.count(),
        order.sequence));
    return {};
  }

 private:
  Result<bool> landed(const LeaseOrder& order) {
    DP_TRY(const auto sequence,
           tx_.query_one<int64_t>("SELECT sequence FROM fund_leases WHERE kind = ? AND fund_id = ?"
                                  " AND instance = ?",
                                  to_string(order.fund.kind), order.fund.id, instance_));
    return sequence == order.doubtful;
  }

  sql::Writer& tx_;
  const std::string& instance_;
};

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

}  // namespace

SqlLeaseStore::SqlLeaseStore(sql::Database& database, const base::RequestId& instance)
    : database_(database), instance_(instance.to_string()) {}

Result<void> SqlLeaseStore::claim() {
  DP_TRY(
      epoch_, sql::run_transaction(database_, [this](sql::Writer& tx) -> Result<int64_t> {
        DP_CHECK(
            tx.execute("INSERT INTO instances (instance, host, started_at, seen_at, epoch)"
                       " VALUES (?, ?, {now_ms}, {now_ms}, 1) {upsert instance} host = {new host},"
                       " started_at = {new started_at}, seen_at = {new seen_at}, drained_at = NULL,"
                       " lost_at = NULL, epoch = epoch + 1",
                       instance_, host_name()));
        DP_CHECK(release_all(tx, instance_));
        return tx.query_value<int64_t>("SELECT epoch FROM instances WHERE instance = ?", instance_);
      }));
  return {};
}

Result<void> SqlLeaseStore::release() {
  return sql::run_transaction(database_, [this](sql::Writer& tx) -> Result<void> {
    DP_CHECK(Exchange(tx, instance_).check_epoch(epoch_));
    DP_CHECK(release_all(tx, instance_));
    DP_CHECK(
        tx.execute("UPDATE instances SET seen_at = {now_ms}, drained_at = {now_ms}"
                   " WHERE instance = ?",
                   instance_));
    return {};
  });
}

Result<void> SqlLeaseStore::renew() {
  return sql::run_transaction(database_, [this](sql::Writer& tx) -> Result<void> {
    DP_TRY(const sql::Outcome seen,
           tx.execute("UPDATE instances SET seen_at = {now_ms} WHERE instance = ? AND epoch = ?",
                      instance_, epoch_));
    if (seen.affected != 1) return voided();
    DP_CHECK(
        tx.execute("UPDATE fund_leases SET expires_at = {now_ms} + ? WHERE instance = ?"
                   " AND amount <> 0",
                   kLeaseLife.count(), instance_));
    DP_CHECK(
        tx.execute("DELETE FROM fund_leases WHERE instance = ? AND amount = 0"
                   " AND expires_at + ? < {now_ms}",
                   instance_, kEmptyRowLife.count()));
    return {};
  });
}

LeaseStore::Exchanged SqlLeaseStore::exchange(std::span<const LeaseOrder> orders,
                                              std::span<LeaseFill> fills) {
  // Funds in one order, then leases: as the applier locks them.
  std::vector<size_t> by_fund(orders.size());
  std::iota(by_fund.begin(), by_fund.end(), size_t{0});
  std::ranges::sort(by_fund, {}, [&](size_t i) { return orders[i].fund; });
  bool complete = false;  // the last attempt came to its commit
  const auto work = [&](sql::Writer& tx) -> Result<void> {
    complete = false;
    Exchange exchange(tx, instance_);
    DP_CHECK(exchange.check_epoch(epoch_));
    for (const size_t i : by_fund) {
      DP_TRY(fills[i], exchange.fill(orders[i]));
    }
    for (const size_t i : by_fund) {
      // A refusal writes nothing: spent users must not cost a row, or a write each time they ask.
      const int64_t by = fills[i].taken - orders[i].returning;
      if (by != 0) DP_CHECK(exchange.note(orders[i], by));
    }
    complete = true;
    return {};
  };
  auto done = sql::run_transaction(database_, std::function<Result<void>(sql::Writer&)>(work));
  if (done) return {Landing::done, std::nullopt};
  return {complete ? Landing::in_doubt : Landing::failed, std::move(done).error()};
}

Result<std::vector<InstanceStanding>> list_instances(sql::Reader& reader) {
  DP_TRY(const auto rows,
         (reader.query<std::string, std::string, int64_t, int64_t, bool, int64_t>(
             "SELECT i.instance, i.host, i.started_at, i.seen_at,"
             " CASE WHEN i.seen_at + ? < {now_ms} THEN 1 ELSE 0 END,"
             " (SELECT COUNT(*) FROM fund_leases l WHERE l.instance = i.instance"
             " AND l.amount <> 0) FROM instances i ORDER BY i.seen_at DESC, i.instance",
             (kLeaseLife + kReclaimGrace).count())));
  std::vector<InstanceStanding> list;
  for (const auto& [instance, host, started, seen, lapsed, leases] : rows) {
    list.push_back({instance, host, started, seen, lapsed, leases});
  }
  return list;
}

Result<int64_t> reclaim_instance(sql::Writer& tx, const std::string& instance) {
  DP_TRY(const auto lapsed,
         tx.query_one<bool>("SELECT CASE WHEN seen_at + ? < {now_ms} THEN 1 ELSE 0 END"
                            " FROM instances WHERE instance = ? {for_update}",
                            (kLeaseLife + kReclaimGrace).count(), instance));
  if (!lapsed) return Error(ErrorCode::not_found, "There is no such instance.");
  if (!*lapsed) {
    return Error(ErrorCode::conflict,
                 "This instance was seen a few minutes ago; its leases are in use. Stop it, or "
                 "wait until they have lapsed.");
  }
  DP_CHECK(
      tx.execute("UPDATE instances SET lost_at = {now_ms}, epoch = epoch + 1"
                 " WHERE instance = ?",
                 instance));
  return release_all(tx, instance);
}

}  // namespace deeppool::governance
