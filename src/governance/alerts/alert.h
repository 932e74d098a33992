// An alert: a rule of a user that came true, once per crossing. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/money.h"

namespace deeppool::governance::alerts {

using RuleId = base::Id<struct AlertRuleTag>;
using AlertId = base::Id<struct AlertTag>;

// balance: the wallet is below `below`. quota: a key has used `share_percent` of its quota or more.
// test: of no rule, so that its owner sees the webhook work.
enum class Kind { balance, quota, test };
std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view name);

struct Rule {
  RuleId id;
  base::UserId user;
  Kind kind = Kind::balance;
  base::ApiKeyId key;  // of a quota rule; 0: every key of the user
  base::Money below;
  int64_t share_percent = 0;
  int64_t created_at_ms = 0;
};

// The figures are those of the moment in which it was raised.
struct Alert {
  AlertId id;
  base::UserId user;
  RuleId rule;
  Kind kind = Kind::balance;
  base::ApiKeyId key;
  base::Money below, balance;
  int64_t share_percent = 0;
  int64_t quota_used = 0;
  int64_t quota_total = 0;
  int64_t raised_at_ms = 0;
  std::optional<int64_t> recovered_at_ms;
  std::optional<int64_t> acknowledged_at_ms;
  std::string delivery;  // none, pending, sent, failed
};

// Where webhooks may lead: the public internet over https, or wherever the operator's network does,
// plain http included.
enum class Targets { public_only, anywhere };

// The alert as a JSON object, for its owner's eyes: in answers and in webhooks alike.
std::string alert_json(const Alert& alert);

}  // namespace deeppool::governance::alerts
