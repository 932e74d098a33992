// How an alert is read: one list of columns, and the struct that takes them in this order.
#pragma once

#include "governance/alerts/alert.h"
#include "sql/row.h"

#define DP_ALERT_COLUMNS                                                               \
  "a.id, a.user_id, a.rule_id, a.kind, a.key_id, a.below, a.balance, a.share_percent," \
  " a.quota_used, a.quota_total, a.raised_at, a.recovered_at, a.acknowledged_at, a.delivery"

namespace deeppool::governance::alerts {

inline constexpr size_t kAlertColumns = 14;

struct AlertRow : Alert {
  static AlertRow from_row(const sql::Row& row) {
    AlertRow a;
    size_t i = 0;
    const auto take = [&]<class T>(T& out) { out = row.get<T>(i++); };
    std::string kind_name;
    take(a.id);
    take(a.user);
    take(a.rule);
    take(kind_name);
    a.kind = parse_kind(kind_name).value_or(Kind::balance);
    take(a.key);
    take(a.below);
    take(a.balance);
    take(a.share_percent);
    take(a.quota_used);
    take(a.quota_total);
    take(a.raised_at_ms);
    take(a.recovered_at_ms);
    take(a.acknowledged_at_ms);
    take(a.delivery);
    return a;
  }
};

}  // namespace deeppool::governance::alerts
