// What all simulated instances share: the database, the clock, the users with their keys, the price
// lists; and the administrators who change them. Owned by the Simulation; single thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "governance/pricing/price_tiers.h"
#include "sql/database.h"
#include "testing/fake_clock.h"
#include "tests/simulation/border.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/journal.h"

namespace deeppool::simulation {

// A folder that is gone when this is.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Model {
  std::string name;
  governance::Price price;
  int64_t max_output_tokens = 0;  // 0: not stated
  bool supports_reasoning = false;
};
struct Key {
  base::ApiKeyId id;
  base::UserId owner;
  int64_t quota_total = -1;
};
// As an instance has loaded it; requests keep the one that they began with.
struct Catalog {
  std::vector<Key> keys;
  std::vector<std::shared_ptr<const Model>> models;
};

class World {
 public:
  World(uint64_t seed, size_t instances);

  // A process's own view of the database.
  std::unique_ptr<sql::Database> connect(Faults& faults);
  // Never fails, and says what engine it really is.
  sql::Database& quiet() { return *quiet_; }
  std::filesystem::path spool_folder(size_t instance) const {
    return folder_.path() / ("spool" + std::to_string(instance));
  }
  const Catalog& catalog() const { return catalog_; }

  // One thing that an administrator, a payment channel or the passing of time does. May fail as
  // the database does.
  void something_is_settled();
  // All money that is on its way arrives.
  void complete_money_in();

  Dice dice;
  testing::FakeClock clock;
  Journal journal;
  Faults console;  // of the administrators' connections

 private:
  void fill();
  void run(const std::function<Result<void>(sql::Writer&)>& work);
  void announce_money();
  void deliver(const std::string& about, MoneyIn& in);
  void change_price();
  void change_quota();
  void change_overdraft();
  void recall_wallet();
  void grant_tokens();
  void grant_discount();
  void revoke_something();
  base::UserId any_user();
  governance::Price any_price();

  Folder folder_;
  Shelf shelf_;
  const sql::Engine said_;
  Faults calm_;
  std::unique_ptr<sql::Database> quiet_;
  std::unique_ptr<sql::Database> consoles_;
  Catalog catalog_;
  int64_t grants_ = 0;
  int64_t discounts_ = 0;
};

}  // namespace deeppool::simulation
