// The ledger: double entry, append-only, and the wallets that are its cached sums. Blocking; for
// the applier's thread and blocking pools. Invariants: the entries of a transaction sum to 0; an id
// is written once, whoever tries again; a wallet's `posted` is the sum of its user's entries,
// changed in the same database transaction as they are written. docs/ledger.md explains it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/money.h"
#include "sql/session.h"

namespace deeppool::governance::ledger {

// What a movement is for; also the part of its id before the colon.
enum class Kind : uint8_t { use, topup, grant, refund, payout, adjust };
std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view name);

// The accounts that are not a user's. Money that a user has is on `user:<id>`; what a device's
// owner is owed, on `device_payable:<device>`.
inline constexpr std::string_view kUserPrefix = "user:";
inline constexpr std::string_view kDevicePayablePrefix = "device_payable:";
inline constexpr std::string_view kPromo = "promo";
inline constexpr std::string_view kRevenue = "revenue";
inline constexpr std::string_view kProviderCost = "provider_cost";
inline constexpr std::string_view kPlatformLoss = "platform_loss";
inline constexpr std::string_view kClearing = "clearing";
inline constexpr std::string_view kAdjustment = "adjustment";
std::string user_account(base::UserId user);
bool is_account(std::string_view name);

// One movement between a user's wallet and one other account. Views: owned by the caller.
struct Movement {
  Kind kind = Kind::adjust;
  std::string_view about{};  // with the kind, its id: "topup:wechat:4200001"
  base::UserId user{};
  base::Money amount{};       // into the wallet, or out of it if negative; not 0
  std::string_view other{};   // the other account
  std::string_view ref{};     // what a statement says it is about
  std::string_view remark{};  // why, in the words of whoever did it
  base::UserId actor{};       // who did it; 0: a machine
  int64_t at_ms = 0;
};

enum class Posted : uint8_t { now, before };

// In the caller's transaction. `before`: this very movement is there already, and nothing was
// changed. conflict: its id is taken by another one, or the balance would leave Money's range.
// insufficient_quota: it would take out more than the user has left besides what running requests
// hold.
Result<Posted> post(sql::Writer& tx, const Movement& movement);

}  // namespace deeppool::governance::ledger
