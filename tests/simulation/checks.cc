#include "tests/simulation/checks.h"

#include <fmt/format.h>

#include <bit>
#include <set>
#include <stdexcept>

#include "governance/ledger/ledger.h"
#include "governance/verify/verify.h"

namespace deeppool::simulation {
namespace {

namespace g = governance;
using base::Money;

sql::Reader reader_of(World& world) {
  auto reader = world.quiet().read();
  if (!reader) throw std::runtime_error(reader.error().message);
  return *std::move(reader);
}

void must(const Result<void>& done) {
  if (!done) throw std::runtime_error(done.error().message + " " + done.error().detail);
}

// The program's own proof, which knows no journal.
void check_invariants(World& world, Findings& findings) {
  const auto report = g::verify::verify(world.quiet());
  if (!report) throw std::runtime_error(report.error().message);
  for (size_t i = 0; i < g::verify::kInvariants; ++i) {
    const auto invariant = static_cast<g::verify::Invariant>(i);
    if (invariant == g::verify::Invariant::stale_leases)
      continue;  // dead ones are, until reclaimed
    for (const std::string& offender : report->of(invariant).offenders) {
      findings.push_back(fmt::format("{}: {}", g::verify::title(invariant), offender));
    }
  }
}

// A row says what its caller was told, or what its last progress on disk says.
void check_rows(World& world, Findings& findings, std::set<base::RequestId>* found) {
  const auto visit = [&](const sql::Row& row) {
    const auto id = row.get<base::RequestId>(0);
    if (found != nullptr) found->insert(id);
    const auto known = world.journal.requests.find(id);
    const auto due = known == world.journal.requests.end() ? std::nullopt : known->second.due();
    if (!due) {
      findings.push_back(fmt::format("{}: charged before its end was on disk", id.to_string()));
      return;
    }
    const Entry& entry = known->second;
    const llm::Usage& usage = due->usage;
    const bool same =
        row.get<base::UserId>(1) == entry.user && row.get<base::ApiKeyId>(2) == entry.key &&
        row.get<std::string_view>(3) == g::to_string(due->outcome) &&
        row.get<int64_t>(4) == usage.prompt_tokens && row.get<int64_t>(5) == usage.cached_tokens &&
        row.get<int64_t>(6) == usage.cache_write_tokens &&
        row.get<int64_t>(7) == usage.completion_tokens &&
        row.get<int64_t>(8) == due->bill.grants.tokens() &&
        row.get<int64_t>(9) == due->bill.discount_ppm && row.get<Money>(10) == due->bill.charged &&
        row.get<int64_t>(11) == entry.held_tokens && row.get<Money>(12) == entry.held_money;
    if (same) return;
    findings.push_back(fmt::format(
        "{}: the caller was told {}, {}+{} tokens, {} yuan; the row says {}, {}+{}, {}",
        id.to_string(), g::to_string(due->outcome), usage.prompt_tokens, usage.completion_tokens,
        due->bill.charged.to_string(), row.get<std::string_view>(3), row.get<int64_t>(4),
        row.get<int64_t>(7), row.get<Money>(10).to_string()));
  };
  must(reader_of(world).for_each(
      visit,
      "SELECT request_id, user_id, key_id, outcome, prompt_tokens, cached_tokens,"
      " cache_write_tokens, completion_tokens, grant_tokens, discount_ppm, charged, held_tokens,"
      " held_money FROM usage_records"));
}

struct Standing {
  g::FundId fund;
  int64_t available = 0;
  int64_t leased = 0;
};

std::vector<Standing> standings(World& world) {
  std::vector<Standing> all;
  sql::Reader reader = reader_of(world);
  must(reader.for_each(
      [&](const sql::Row& row) {
        const auto leased = row.get<int64_t>(3);
        const int64_t free = row.get<int64_t>(1) - row.get<int64_t>(2) - leased;
        all.push_back({{g::FundKind::quota, row.get<int64_t>(0)}, free, leased});
      },
      "SELECT id, quota_total, quota_used, quota_leased FROM api_keys WHERE quota_total >= 0"));
  must(reader.for_each(
      [&](const sql::Row& row) {
        const auto leased = row.get<int64_t>(3);
        const int64_t free = row.get<int64_t>(1) - row.get<int64_t>(2) - leased;
        all.push_back({{g::FundKind::grant, row.get<int64_t>(0)}, free, leased});
      },
      "SELECT id, tokens_total, tokens_used, tokens_leased FROM token_grants"));
  must(reader.for_each(
      [&](const sql::Row& row) {
        const int64_t overdraft = row.get<bool>(3) ? row.get<Money>(4).units() : 0;
        const int64_t leased = row.get<Money>(2).units();
        const int64_t free = row.get<Money>(1).units() + overdraft - leased;
        all.push_back({{g::FundKind::wallet, row.get<int64_t>(0)}, free, leased});
      },
      "SELECT user_id, posted, leased, allow_overdraft, max_overdraft FROM user_wallets"));
  return all;
}

// Admission never takes a fund below its floor; only what exceeded a hold may.
void check_floors(World& world, Findings& findings) {
  for (const Standing& each : standings(world)) {
    if (world.journal.excused.contains(each.fund) || each.leased <= 0) continue;
    const auto exceeded = world.journal.exceeded.find(each.fund);
    const int64_t floor = exceeded == world.journal.exceeded.end() ? 0 : -exceeded->second;
    if (each.available >= floor) continue;
    findings.push_back(fmt::format("{} {}: {} is available, its floor is {}",
                                   g::to_string(each.fund.kind), each.fund.id, each.available,
                                   floor));
  }
}

void check_money(World& world, Findings& findings) {
  std::map<base::UserId, int64_t> due;
  for (const auto& [about, in] : world.journal.money_in) due[in.user] += in.amount.units();
  for (const auto& [id, entry] : world.journal.requests) {
    if (const auto told = entry.due()) due[entry.user] -= told->bill.charged.units();
  }
  must(reader_of(world).for_each(
      [&](const sql::Row& row) { due[row.get<base::UserId>(0)] -= row.get<Money>(1).units(); },
      "SELECT user_id, posted FROM user_wallets"));
  for (const auto& [user, difference] : due) {
    if (difference == 0) continue;
    findings.push_back(fmt::format("user {}: {} units are missing", user.value, difference));
  }
}

// FNV-1a, 64 bits.
class Hash {
 public:
  void add(const void* bytes, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      value_ = (value_ ^ static_cast<const uint8_t*>(bytes)[i]) * 0x100000001b3;
    }
  }
  void add(uint64_t number) { add(&number, sizeof number); }
  void add(std::string_view text) {
    add(text.size());
    add(text.data(), text.size());
  }
  void add(const sql::Value& value) {
    add(value.index());
    if (const auto* number = std::get_if<int64_t>(&value)) add(std::bit_cast<uint64_t>(*number));
    if (const auto bytes = sql::any_bytes(value)) add(*bytes);
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace

void check_books(World& world, Findings& findings) {
  ++world.journal.count.checks;
  check_invariants(world, findings);
  check_rows(world, findings, nullptr);
  check_floors(world, findings);
}

void check_end(World& world, Findings& findings) {
  check_invariants(world, findings);
  std::set<base::RequestId> found;
  check_rows(world, findings, &found);
  for (const auto& [id, entry] : world.journal.requests) {
    if (!found.contains(id)) findings.push_back(fmt::format("{}: no row", id.to_string()));
  }
  check_money(world, findings);
  check_floors(world, findings);
  for (const Standing& each : standings(world)) {
    if (each.leased == 0) continue;
    findings.push_back(fmt::format("{} {}: {} is still leased", g::to_string(each.fund.kind),
                                   each.fund.id, each.leased));
  }
}

uint64_t hash_of_rows(World& world) {
  // What is not named is the same wherever the program runs.
  constexpr std::string_view kTables[] = {
      "SELECT * FROM usage_records ORDER BY request_id",
      "SELECT * FROM token_usage_daily ORDER BY user_id, day, key_id, model_name, source",
      "SELECT * FROM ledger_txns ORDER BY txn_id",
      "SELECT * FROM ledger_entries ORDER BY txn_id, account",
      "SELECT * FROM user_wallets ORDER BY user_id",
      "SELECT * FROM token_grants ORDER BY id",
      "SELECT * FROM token_grant_uses ORDER BY grant_id, request_id",
      "SELECT * FROM discounts ORDER BY id",
      "SELECT * FROM price_snapshots ORDER BY id",
      "SELECT * FROM spool_cursors ORDER BY instance, stream",
      "SELECT * FROM fund_leases ORDER BY kind, fund_id, instance",
      "SELECT id, quota_total, quota_used, quota_leased, last_used_at FROM api_keys ORDER BY id",
      "SELECT instance, started_at, seen_at, epoch FROM instances ORDER BY instance"};
  Hash hash;
  auto writer = world.quiet().write();
  if (!writer) throw std::runtime_error(writer.error().message);
  for (const std::string_view text : kTables) {
    auto statement = writer->connection().prepared(text);
    if (!statement || !(*statement)->run({})) throw std::runtime_error("a table cannot be read");
    while (true) {
      const auto more = (*statement)->next();
      if (!more) throw std::runtime_error(more.error().detail);
      if (!*more) break;
      for (size_t i = 0; i < (*statement)->columns(); ++i) hash.add((*statement)->column(i));
    }
    (*statement)->close();
  }
  return hash.value();
}

}  // namespace deeppool::simulation
