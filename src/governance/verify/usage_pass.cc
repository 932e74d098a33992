// Reads every usage row: was it held before, and does its price give its charge again? A charged
// one is its own transaction of the ledger, from its user to the revenue.
#include <fmt/format.h>

#include <optional>
#include <vector>

#include "governance/pricing/charge.h"
#include "governance/pricing/snapshot_store.h"
#include "governance/verify/limits.h"
#include "governance/verify/passes.h"

namespace deeppool::governance::verify {
namespace {

struct Row {
  base::RequestId request;
  base::UserId user;
  base::ApiKeyId key;
  llm::Usage usage;
  std::optional<base::PriceId> price;
  Reduction reduction;
  base::Money charged;
  bool held = false;

  static Row from_row(const sql::Row& row) {
    Row r;
    std::optional<int64_t> held;
    llm::Usage& u = r.usage;
    row.into(r.request, r.user, r.key, u.prompt_tokens, u.completion_tokens, u.cached_tokens,
             u.cache_write_tokens, u.image_input_tokens, u.audio_input_tokens,
             u.image_output_tokens, u.audio_output_tokens, r.price, r.reduction.grant_tokens,
             r.reduction.discount_ppm, r.charged, held);
    r.held = held.has_value();
    return r;
  }
};

class UsagePass {
 public:
  UsagePass(sql::Reader& reader, Report& report, Balances& balances)
      : reader_(reader), report_(report), balances_(balances) {}

  Result<void> run() {
    base::RequestId from;
    while (true) {
      DP_TRY(
          const auto rows,
          reader_.query<Row>(
              "SELECT request_id, user_id, key_id, prompt_tokens, completion_tokens, cached_tokens,"
              " cache_write_tokens, image_input_tokens, audio_input_tokens, image_output_tokens,"
              " audio_output_tokens, price_id, grant_tokens, discount_ppm, charged, held_tokens"
              " FROM usage_records WHERE request_id > ? ORDER BY request_id LIMIT ?",
              from, kChunkRows));
      for (const Row& row : rows) DP_CHECK(check(row));
      if (rows.size() < static_cast<size_t>(kChunkRows)) return {};
      from = rows.back().request;
    }
  }

 private:
  Result<void> check(const Row& row) {
    KeyUse& use = balances_.keys[row.key];
    use.tokens += row.usage.total();
    use.charged += row.charged.units();
    post(row);
    report_.checked(Invariant::accepted);
    // A row of before prices were kept says nothing of its hold either.
    if (!row.held && row.price) {
      report_.broken(Invariant::accepted, "request " + row.request.to_string() + ": never held");
    }
    return check_charge(row);
  }

  void post(const Row& row) {
    if (row.charged == base::Money()) return;
    balances_.users[row.user] -= row.charged.units();
    report_.checked(Invariant::usage_posted);
    report_.checked(Invariant::books_balance, 2);
    if (row.user && row.charged > base::Money()) return;
    report_.broken(Invariant::usage_posted,
                   fmt::format("request {}: takes {} from user {}", row.request.to_string(),
                               row.charged.to_string(), row.user.value));
  }

  Result<void> check_charge(const Row& row) {
    report_.checked(Invariant::prices);
    if (!row.price) {
      if (row.charged != base::Money()) wrong(row, "no price");
      return {};
    }
    DP_TRY(const PriceTiers* tiers, price(*row.price));
    if (tiers == nullptr) {
      wrong(row, "a price that is not there");
      return {};
    }
    const auto again = charge(*tiers, row.usage, row.reduction);
    if (!again) {
      wrong(row, "counts that cannot be charged");
    } else if (*again != row.charged) {
      wrong(row, "a price that gives " + again->to_string());
    }
    return {};
  }

  void wrong(const Row& row, const std::string& instead) {
    report_.broken(Invariant::prices,
                   fmt::format("request {}: charged {} by {}", row.request.to_string(),
                               row.charged.to_string(), instead));
  }

  // Null if there is none, or a damaged one.
  Result<const PriceTiers*> price(base::PriceId id) {
    if (const auto known = prices_.find(id); known != prices_.end()) {
      return known->second ? &*known->second : nullptr;
    }
    if (prices_.size() >= kCachedPrices) prices_.clear();
    auto loaded = snapshots::load(reader_, id);
    std::optional<PriceTiers>& slot = prices_[id];
    if (loaded) {
      slot = *std::move(loaded);
      return &*slot;
    }
    if (loaded.error().code == ErrorCode::unavailable) return std::move(loaded).error();
    return nullptr;
  }

  sql::Reader& reader_;
  Report& report_;
  Balances& balances_;
  std::unordered_map<base::PriceId, std::optional<PriceTiers>> prices_;
};

}  // namespace

Result<void> check_usage(sql::Reader& reader, Report& report, Balances& balances) {
  return UsagePass(reader, report, balances).run();
}

}  // namespace deeppool::governance::verify
