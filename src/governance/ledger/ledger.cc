#include "governance/ledger/ledger.h"

#include <array>

#include "governance/ledger/wallet_store.h"

namespace deeppool::governance::ledger {
namespace {

struct Named {
  Kind kind;
  std::string_view name;
};
constexpr Named kKinds[] = {{Kind::use, "use"},       {Kind::topup, "topup"},
                            {Kind::grant, "grant"},   {Kind::refund, "refund"},
                            {Kind::payout, "payout"}, {Kind::adjust, "adjust"}};

constexpr std::string_view kSingleAccounts[] = {kPromo,        kRevenue,  kProviderCost,
                                                kPlatformLoss, kClearing, kAdjustment};

// The same id may only mean the same movement.
Result<Posted> posted_before(sql::Writer& tx, const std::string& id, const Movement& m) {
  DP_TRY(const auto same,
         tx.query_value<int64_t>("SELECT COUNT(*) FROM ledger_entries WHERE txn_id = ? AND"
                                 " user_id = ? AND amount = {money}",
                                 id, m.user, m.amount));
  if (same == 1) return Posted::before;
  return Error(ErrorCode::conflict,
               "This reference was used for another movement: choose a new one, or repeat the old "
               "one as it was.");
}

Result<void> write_entries(sql::Writer& tx, const std::string& id, const Movement& m) {
  using Entry =
      std::tuple<std::string_view, std::string, std::optional<base::UserId>, base::Money, int64_t>;
  const std::array<Entry, 2> entries{
      Entry{id, user_account(m.user), m.user, m.amount, m.at_ms},
      Entry{id, std::string(m.other), std::nullopt, -m.amount, m.at_ms}};
  return tx.insert_rows(
      "INSERT INTO ledger_entries (txn_id, account, user_id, amount, created_at) {rows}",
      std::span<const Entry>(entries));
}

}  // namespace

std::string_view to_string(Kind kind) {
  for (const Named& known : kKinds) {
    if (known.kind == kind) return known.name;
  }
  return "unknown";
}

std::optional<Kind> parse_kind(std::string_view name) {
  for (const Named& known : kKinds) {
    if (known.name == name) return known.kind;
  }
  return std::nullopt;
}

std::string user_account(base::UserId user) {
  return std::string(kUserPrefix) + std::to_string(user.value);
}

bool is_account(std::string_view name) {
  for (const std::string_view prefix : {kUserPrefix, kDevicePayablePrefix}) {
    if (name.starts_with(prefix)) return name.size() > prefix.size();
  }
  for (const std::string_view single : kSingleAccounts) {
    if (name == single) return true;
  }
  return false;
}

Result<Posted> post(sql::Writer& tx, const Movement& m) {
  const std::string id = std::string(to_string(m.kind)) + ':' + std::string(m.about);
  const std::optional<base::UserId> actor = m.actor ? std::optional(m.actor) : std::nullopt;
  DP_TRY(const bool fresh,
         tx.insert_if_absent("INSERT INTO ledger_txns (txn_id, kind, ref, remark, actor_user_id,"
                             " created_at) VALUES (?, ?, ?, ?, ?, ?)",
                             id, to_string(m.kind), m.ref, m.remark, actor, m.at_ms));
  if (!fresh) return posted_before(tx, id, m);
  DP_CHECK(write_entries(tx, id, m));
  DP_CHECK(wallets::move(tx, m.user, m.amount, m.at_ms));
  return Posted::now;
}

}  // namespace deeppool::governance::ledger
