#include "tests/simulation/world.h"

#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

#include "governance/discounts/discount_store.h"
#include "governance/grants/grant_store.h"
#include "governance/ledger/wallet_store.h"
#include "governance/pricing/snapshot_store.h"
#include "identity/api_key_store.h"
#include "sql/migrator/migrator.h"
#include "sql/transaction.h"
#include "tests/simulation/limits.h"

namespace deeppool::simulation {
namespace {

namespace g = governance;
using base::Money;
using g::FundKind;

void must(const Result<void>& done, std::string_view what) {
  if (done) return;
  throw std::runtime_error(
      fmt::format("{}: {} ({})", what, done.error().message, done.error().detail));
}

// In memory where there is plenty: a power cut is not simulated, and flushing is most of the time.
std::filesystem::path scratch() {
  constexpr uintmax_t kPlenty = 1u << 30;
  const std::filesystem::path memory = "/dev/shm";
  std::error_code absent;
  const auto space = std::filesystem::space(memory, absent);
  return !absent && space.available >= kPlenty ? memory : std::filesystem::temp_directory_path();
}

}  // namespace

Folder::Folder() {
  std::string name = (scratch() / "deeppool-sim-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

World::World(uint64_t seed, size_t instances)
    : dice(seed),
      shelf_((folder_.path() / "deeppool.db").string()),
      said_(instances == 1 ? sql::Engine::sqlite : sql::Engine::mysql) {
  constexpr sql::Database::Sizes kSizes{.readers = 2, .writers = 1};
  quiet_ = std::make_unique<sql::Database>(
      std::make_unique<Connector>(shelf_, calm_, clock, sql::Engine::sqlite), kSizes);
  if (const auto done = sql::migrate(*quiet_); !done) throw std::runtime_error(done.error().detail);
  consoles_ = connect(console);
  fill();
}

std::unique_ptr<sql::Database> World::connect(Faults& faults) {
  constexpr sql::Database::Sizes kSizes{.readers = 2, .writers = 1};
  return std::make_unique<sql::Database>(std::make_unique<Connector>(shelf_, faults, clock, said_),
                                         kSizes);
}

void World::fill() {
  const auto users = [&](sql::Writer& tx) -> Result<void> {
    for (int64_t user = 1; user <= kUsers; ++user) {
      DP_CHECK(
          tx.execute("INSERT INTO users (id, username, password_hash, created_at, updated_at)"
                     " VALUES (?, ?, 'x', 0, 0)",
                     user, fmt::format("u{}", user)));
    }
    for (int64_t id = 1; id <= kKeys; ++id) {
      const Key key{{id}, any_user(), dice.once_in(2) ? -1 : dice.between(1, kMostQuota)};
      const std::string hash = fmt::format("h{}", id);
      DP_CHECK(
          tx.execute("INSERT INTO api_keys (id, user_id, name, key_hash, key_prefix,"
                     " key_sealed, quota_total, allowed_models, created_at, updated_at)"
                     " VALUES (?, ?, 'k', ?, 'dp-', ?, ?, '[]', 0, 0)",
                     id, key.owner, sql::Blob{hash}, sql::Blob{hash}, key.quota_total));
      catalog_.keys.push_back(key);
    }
    return {};
  };
  must(sql::run_transaction(*quiet_, std::function<Result<void>(sql::Writer&)>(users)), "users");
  for (size_t i = 0; i < kModels; ++i) {
    auto model = std::make_shared<Model>();
    model->name = fmt::format("model-{}", i);
    if (i != 0) model->price = any_price();
    if (i == 0) model->price = g::read_price("[]");
    const g::snapshots::Listed listed{&model->price.tiers, 0};
    must(g::snapshots::ensure(*quiet_, {&listed, 1}), "prices");
    if (dice.once_in(2)) model->max_output_tokens = dice.between(500, 5000);
    model->supports_reasoning = dice.once_in(3);
    catalog_.models.push_back(std::move(model));
  }
  for (size_t i = 0; i < kUsers; ++i) announce_money();
  complete_money_in();
}

void World::run(const std::function<Result<void>(sql::Writer&)>& work) {
  // Refused or lost: then it did not happen, or nobody was told.
  (void)sql::run_transaction(*consoles_, work);
}

void World::something_is_settled() {
  switch (dice.below(13)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return announce_money();
    case 4:
    case 5:
      for (auto& [about, in] : journal.money_in) {
        if (!in.done) deliver(about, in);
      }
      return;
    case 6:
      return change_price();
    case 7:
      return change_quota();
    case 8:
      return change_overdraft();
    case 9:
      return grant_tokens();
    case 10:
      return grant_discount();
    case 11:
      return recall_wallet();
    default:
      return revoke_something();
  }
}

void World::complete_money_in() {
  console = {};
  for (auto& [about, in] : journal.money_in) {
    while (!in.done) deliver(about, in);
  }
}

// A payment event is delivered until it is acknowledged, and now and then once more.
void World::announce_money() {
  MoneyIn in;
  in.user = any_user();
  in.topup = !dice.once_in(4);
  in.amount = Money::units(dice.skewed(1, kMostTopup));
  if (!in.topup && dice.once_in(2)) in.amount = -in.amount;
  const std::string about =
      fmt::format("{}{}", in.topup ? "channel:" : "note-", journal.money_in.size());
  auto& entry = journal.money_in[about] = in;
  deliver(about, entry);
  if (dice.once_in(4)) deliver(about, entry);
}

void World::deliver(const std::string& about, MoneyIn& in) {
  const g::ledger::Movement movement{
      .kind = in.topup ? g::ledger::Kind::topup : g::ledger::Kind::adjust,
      .about = about,
      .user = in.user,
      .amount = in.amount,
      .other = in.topup ? g::ledger::kClearing : g::ledger::kAdjustment,
      .ref = about,
      .at_ms = base::unix_ms(clock.wall())};
  const auto posted = sql::run_transaction(
      *consoles_, [&](sql::Writer& tx) { return g::ledger::post(tx, movement); });
  if (posted) {
    in.done = true;
  } else if (posted.error().code == ErrorCode::insufficient_quota) {
    in.done = true;
    in.amount = Money();  // refused for good
  }
}

base::UserId World::any_user() {
  return base::UserId{dice.between(1, kUsers)};
}

g::Price World::any_price() {
  const auto yuan = [&] {
    Money::Buffer buffer;
    return std::string(Money::units(dice.skewed(0, kDearest)).write(buffer));
  };
  std::string json = "[";
  const int64_t tiers = dice.between(1, 3);
  for (int64_t tier = 1; tier <= tiers; ++tier) {
    json += fmt::format(R"({}{{"max_input_tokens":{},"input_price":"{}","output_price":"{}")",
                        tier == 1 ? "" : ",", tier == tiers ? 0 : tier * 700, yuan(), yuan());
    if (dice.once_in(2)) json += fmt::format(R"(,"cached_price":"{}")", yuan());
    if (dice.once_in(3)) json += fmt::format(R"(,"cache_write_price":"{}")", yuan());
    if (dice.once_in(4)) json += fmt::format(R"(,"image_input_price":"{}")", yuan());
    json += '}';
  }
  return g::read_price(json + ']');
}

void World::change_price() {
  auto& slot = catalog_.models[1 + dice.below(kModels - 1)];
  auto fresh = std::make_shared<Model>(*slot);
  fresh->price = any_price();
  const g::snapshots::Listed listed{&fresh->price.tiers, base::unix_ms(clock.wall())};
  // A price is in force when it is kept for good, not before.
  if (g::snapshots::ensure(*consoles_, {&listed, 1})) slot = std::move(fresh);
}

void World::change_quota() {
  Key& key = catalog_.keys[dice.below(catalog_.keys.size())];
  const int64_t total = dice.once_in(4) ? -1 : dice.between(1, kMostQuota * 4);
  if (total >= 0) journal.excused[{FundKind::quota, key.id.value}] = true;
  run([&](sql::Writer& tx) -> Result<void> {
    DP_CHECK(identity::api_keys::set_quota(tx, key.id, total));
    return {};
  });
  key.quota_total = *quiet_->read()->query_value<int64_t>(
      "SELECT quota_total FROM api_keys WHERE id = ?", key.id);
}

void World::change_overdraft() {
  const g::wallets::OverdraftPolicy policy{dice.once_in(2),
                                           Money::units(dice.skewed(0, kMostTopup))};
  run([&](sql::Writer& tx) {
    return g::wallets::set_overdraft(tx, any_user(), policy, base::unix_ms(clock.wall()));
  });
}

void World::recall_wallet() {
  run([&](sql::Writer& tx) { return g::wallets::recall(tx, any_user()); });
}

void World::grant_tokens() {
  const int64_t now = base::unix_ms(clock.wall());
  g::grants::NewGrant grant{.user = any_user(),
                            .tokens = dice.skewed(1, kMostGranted),
                            .expires_at_ms = {},
                            .remark = {},
                            .created_by = {},
                            .now_ms = now};
  if (dice.once_in(2)) grant.expires_at_ms = now + dice.between(1, 60'000);
  run([&](sql::Writer& tx) -> Result<void> {
    DP_TRY(const auto id, g::grants::create(tx, grant));
    grants_ = std::max(grants_, id.value);
    return {};
  });
}

void World::grant_discount() {
  const int64_t now = base::unix_ms(clock.wall());
  g::discounts::NewDiscount discount{.user = any_user(),
                                     .ppm = dice.between(1, 1'000'000),
                                     .starts_at_ms = now,
                                     .ends_at_ms = {},
                                     .remark = {},
                                     .created_by = {},
                                     .now_ms = now};
  if (dice.once_in(4)) discount.user.reset();
  discount.ends_at_ms = now + dice.between(1, 30'000);
  run([&](sql::Writer& tx) -> Result<void> {
    DP_TRY(const auto id, g::discounts::create(tx, discount));
    discounts_ = std::max(discounts_, id.value);
    return {};
  });
}

void World::revoke_something() {
  const int64_t now = base::unix_ms(clock.wall());
  run([&](sql::Writer& tx) -> Result<void> {
    if (dice.once_in(2)) {
      DP_CHECK(g::grants::revoke(tx, {dice.between(1, grants_ + 1)}, now));
    } else {
      DP_CHECK(g::discounts::revoke(tx, {dice.between(1, discounts_ + 1)}, now));
    }
    return {};
  });
}

}  // namespace deeppool::simulation
