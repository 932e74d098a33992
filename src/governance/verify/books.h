// For tests and benches of verify(): a platform whose books are right, made by the code that makes
// them in life. User 1 with two keys, a grant, a top-up, leases, and any number of requests.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "governance/applier/crash_world.h"
#include "governance/ledger/wallet_store.h"
#include "governance/pricing/charge.h"
#include "governance/pricing/snapshot_store.h"
#include "governance/usage/usage_store.h"
#include "sql/transaction.h"

namespace deeppool::governance::verify {

// Sorts by its number, as real ones do by time.
inline base::RequestId request_of(int64_t n) {
  base::RequestId id;
  id.bytes.fill(0x11);
  for (size_t i = 0; i < 8; ++i) id.bytes[7 - i] = static_cast<uint8_t>(n >> (8 * i));
  return id;
}

class Books {
 public:
  explicit Books(sql::Database& database)
      : database_(database), store_(database, base::RequestId{}) {
    add_user_with_two_keys(database);
    tiers_ = *read_price_tiers(R"([{"max_input_tokens":1020,"input_price":"2.5","output_price":8},
                                   {"input_price":"3.0000000001","output_price":10}])",
                               "tiers");
    const snapshots::Listed listed{&tiers_, 0};
    EXPECT_TRUE(snapshots::ensure(database, {&listed, 1}));
    move(ledger::Kind::topup, "wechat:1", "1000", ledger::kClearing);
    lease();
  }

  void move(ledger::Kind kind, std::string_view about, std::string_view yuan,
            std::string_view other) {
    const auto done = sql::run_transaction(database_, [&](sql::Writer& tx) {
      return ledger::post(tx, {.kind = kind,
                               .about = about,
                               .user = base::UserId{1},
                               .amount = *base::Money::parse(yuan),
                               .other = other});
    });
    EXPECT_TRUE(done) << done.error().message;
  }

  // Requests numbered from `first`, in one batch.
  void add_requests(int64_t first, int64_t count) {
    std::vector<UsageRow> rows;
    for (int64_t n = first; n < first + count; ++n) rows.push_back(row(n));
    const auto applied = store_.apply(rows, {});
    EXPECT_TRUE(applied) << applied.error().detail;
  }

 private:
  // Every fourth uses the grant, every third has a discount, every fifth was free of charge.
  UsageRow row(int64_t n) const {
    UsageRow r = usage_row(numbered_final(n % 100));
    r.request_id = request_of(n);
    r.started_at_ms = 1'800'000'000'000 + n;
    r.usage.cached_tokens = n % 100;
    r.held = Held{5000, base::Money::units(1)};
    r.quota_leased = n % 2 == 0;
    r.bill = {};
    r.bill.price = price_id(tiers_);
    if (n % 3 == 0) r.bill.discount_ppm = 150'000;
    if (n % 4 == 0) r.bill.grants.add({base::GrantId{1}, 1 + n % 7});
    if (n % 5 == 0) r.usage = {};
    r.bill.charged = *charge(tiers_, r.usage, {r.bill.grants.tokens(), r.bill.discount_ppm});
    return r;
  }

  // Enough for many requests, so that leases stay above 0.
  void lease() {
    auto writer = database_.write();
    const base::Money yuan = *base::Money::parse("900");
    EXPECT_TRUE(writer->execute("UPDATE user_wallets SET leased = ?", yuan));
    EXPECT_TRUE(writer->execute("UPDATE api_keys SET quota_leased = 90000000000"));
    EXPECT_TRUE(writer->execute("UPDATE token_grants SET tokens_leased = 90000000"));
    const std::string instance = base::RequestId{}.to_string();
    const auto add = [&](const char* kind, int64_t fund, int64_t amount) {
      EXPECT_TRUE(writer->execute(
          "INSERT INTO fund_leases (kind, fund_id, instance, amount, expires_at) VALUES"
          " (?, ?, ?, ?, {now_ms} + 3600000)",
          kind, fund, instance, amount));
    };
    add("wallet", 1, yuan.units());
    add("grant", 1, 90'000'000);
    add("quota", 1, 90'000'000'000);
    add("quota", 2, 90'000'000'000);
  }

  sql::Database& database_;
  UsageStore store_;
  PriceTiers tiers_;
};

}  // namespace deeppool::governance::verify
