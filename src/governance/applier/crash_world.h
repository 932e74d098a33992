// For the applier's tests: a spool folder and a store that outlive the processes (or the objects)
// that die on them, and the truths that must hold afterwards.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "governance/applier/applier.h"
#include "sql/database.h"

namespace deeppool::governance {

inline base::RequestId numbered_request(int64_t n) {
  base::RequestId id;
  std::memcpy(id.bytes.data(), &n, sizeof n);
  return id;
}

inline HoldRecord numbered_hold(int64_t n) {
  HoldRecord r;
  r.request_id = numbered_request(n);
  r.user = base::UserId{1};
  r.key = base::ApiKeyId{1 + n % 2};
  r.model = n % 3 == 0 ? "model-a" : "model-b";
  r.started_at_ms = 1'800'000'000'000 + n * 3'600'000;  // days differ
  r.quota_leased = n % 2 == 0;
  r.price = base::PriceId{1};
  r.held_money = base::Money::units(n);
  return r;
}

// Every fifth request is free, every fourth uses a grant.
inline Bill numbered_bill(int64_t n) {
  Bill bill;
  bill.price = base::PriceId{1};
  if (n % 5 != 0) bill.charged = base::Money::units(1'000'000 + n);
  if (n % 4 == 0) bill.grants.add({base::GrantId{1}, 1 + n % 100});
  return bill;
}

// Tokens and charge are a function of its number, so that a lost or doubled one shows in any sum.
inline FinalRecord numbered_final(int64_t n) {
  const HoldRecord hold = numbered_hold(n);
  FinalRecord r;
  r.request_id = hold.request_id;
  r.user = hold.user;
  r.key = hold.key;
  r.model = hold.model;
  r.started_at_ms = hold.started_at_ms;
  r.status = 200;
  r.attempts = 1;
  r.usage.prompt_tokens = 1000 + n;
  r.usage.completion_tokens = 10 + n;
  r.bill = numbered_bill(n);
  r.quota_leased = hold.quota_leased;
  return r;
}

inline void add_user_with_two_keys(sql::Database& database) {
  auto writer = database.write();
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(
      writer
          ->execute("INSERT INTO users (id, username, password_hash, created_at, updated_at)"
                    " VALUES (1, 'u', 'x', 0, 0)")
          .ok());
  for (int64_t key = 1; key <= 2; ++key) {
    const std::string hash = "hash" + std::to_string(key);
    ASSERT_TRUE(writer
                    ->execute("INSERT INTO api_keys (id, user_id, name, key_hash, key_prefix,"
                              " key_sealed, allowed_models, created_at, updated_at)"
                              " VALUES (?, 1, 'k', ?, 'dp-', ?, '[]', 0, 0)",
                              key, sql::Blob{hash}, sql::Blob{hash})
                    .ok());
  }
  ASSERT_TRUE(writer
                  ->execute("INSERT INTO token_grants (id, user_id, tokens_total, created_at)"
                            " VALUES (1, 1, 1000000000, 0)")
                  .ok());
}

// The books of user 1, all from the same transactions: charges of usage rows, of days, of the
// ledger and of the wallet; tokens of grants; and what each took out of a lease.
inline void expect_books_agree(sql::Database& database) {
  auto reader = database.read();
  const auto money = [&](auto text) {
    return reader->query_value<std::optional<base::Money>>(text)->value_or(base::Money());
  };
  const auto count = [&](auto text) {
    return reader->query_value<std::optional<int64_t>>(text)->value_or(0);
  };
  const base::Money charged = money(sql::Sql<0>("SELECT SUM(charged) FROM usage_records"));
  EXPECT_EQ(money(sql::Sql<0>("SELECT SUM(charged) FROM token_usage_daily")), charged);
  EXPECT_EQ(money(sql::Sql<0>("SELECT SUM(amount) FROM ledger_journal WHERE account = 'revenue'")),
            charged);
  EXPECT_EQ(money(sql::Sql<0>("SELECT SUM(amount) FROM wallet_transactions WHERE user_id = 1")),
            -charged);
  EXPECT_EQ(money(sql::Sql<0>("SELECT SUM(posted) FROM user_wallets")), -charged);
  EXPECT_EQ(money(sql::Sql<0>("SELECT SUM(leased) FROM user_wallets")), -charged);
  EXPECT_EQ(count(sql::Sql<0>("SELECT SUM(amount) FROM fund_leases WHERE kind = 'wallet'")),
            -charged.units());
  EXPECT_EQ(count(sql::Sql<0>("SELECT COUNT(DISTINCT txn_id) FROM ledger_journal")),
            count(sql::Sql<0>("SELECT COUNT(*) FROM usage_records WHERE charged > 0")));
  const int64_t granted = count(sql::Sql<0>("SELECT SUM(grant_tokens) FROM usage_records"));
  EXPECT_EQ(count(sql::Sql<0>("SELECT SUM(tokens) FROM token_grant_uses")), granted);
  EXPECT_EQ(count(sql::Sql<0>("SELECT SUM(tokens_used) FROM token_grants")), granted);
  EXPECT_EQ(count(sql::Sql<0>("SELECT SUM(tokens_leased) FROM token_grants")), -granted);
  EXPECT_EQ(count(sql::Sql<0>("SELECT SUM(amount) FROM fund_leases WHERE kind = 'grant'")),
            -granted);
  EXPECT_EQ(count(sql::Sql<0>("SELECT SUM(amount) FROM fund_leases WHERE kind = 'quota'")),
            count(sql::Sql<0>("SELECT SUM(quota_leased) FROM api_keys")));
}

struct StoredUsage {
  std::map<int64_t, std::pair<int64_t, std::string>> rows;  // number -> total tokens, outcome
};

// Reads the store back and checks that its three accounts of the same tokens agree.
inline StoredUsage stored_usage(sql::Database& database) {
  StoredUsage out;
  auto reader = database.read();
  EXPECT_TRUE(reader.ok());
  const auto rows = reader->query<base::RequestId, int64_t, std::string>(
      "SELECT request_id, prompt_tokens + completion_tokens, outcome FROM usage_records");
  EXPECT_TRUE(rows.ok());
  int64_t sum = 0;
  for (const auto& [id, tokens, outcome] : *rows) {
    int64_t n = 0;
    std::memcpy(&n, id.bytes.data(), sizeof n);
    out.rows[n] = {tokens, outcome};
    sum += tokens;
  }
  const auto daily = reader->query_one<int64_t, int64_t>(
      "SELECT COALESCE(SUM(prompt_tokens + completion_tokens), 0), COALESCE(SUM(requests), 0)"
      " FROM token_usage_daily");
  EXPECT_EQ(std::get<0>(**daily), sum);
  EXPECT_EQ(std::get<1>(**daily), static_cast<int64_t>(rows->size()));
  EXPECT_EQ(*reader->query_value<int64_t>("SELECT COALESCE(SUM(quota_used), 0) FROM api_keys"),
            sum);
  expect_books_agree(database);
  return out;
}

class SpoolFolder {
 public:
  SpoolFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "deeppool-spool-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~SpoolFolder() { std::filesystem::remove_all(path_); }
  SpoolFolder(const SpoolFolder&) = delete;

  SpoolSettings settings() const {
    SpoolSettings s;
    s.directory = path_;
    s.volatile_folder = VolatileFolder::allow;
    s.sync_interval = std::chrono::hours(1);
    s.segment_bytes = 3000;
    s.reserve_bytes = 1 << 16;
    return s;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace deeppool::governance
