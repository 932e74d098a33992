#include "governance/pricing/snapshot_store.h"

#include <map>

#include "base/log.h"
#include "crypto/hash.h"

namespace deeppool::governance::snapshots {
namespace {

using ById = std::map<base::PriceId, const Listed*>;

Error damaged(base::PriceId id) {
  return Error(ErrorCode::internal, "Something went wrong on our side.",
               "price snapshot " + std::to_string(id.value) + " does not say what its id says");
}

// Takes out of `wanted` what is there already.
Result<void> drop_stored(sql::Reader& reader, ById& wanted) {
  std::vector<base::PriceId> ids;
  for (const auto& [id, list] : wanted) ids.push_back(id);
  DP_TRY(const auto stored,
         reader.query_list<base::PriceId>("SELECT id FROM price_snapshots WHERE id IN ({list})",
                                          std::span(std::as_const(ids))));
  for (const base::PriceId id : stored) wanted.erase(id);
  return {};
}

// Another instance may have been faster.
Result<void> store(sql::Writer& writer, base::PriceId id, const Listed& list) {
  const std::string text = price_tiers_json(*list.tiers, PriceSpelling::complete);
  DP_TRY(const bool written,
         writer.insert_if_absent(
             "INSERT INTO price_snapshots (id, digest, tiers, created_at) VALUES (?, ?, ?, ?)", id,
             crypto::sha256(text), text, list.since_ms));
  if (written) return {};
  DP_TRY(const PriceTiers there, load(writer, id));
  return price_tiers_json(there, PriceSpelling::complete) == text ? Result<void>() : damaged(id);
}

}  // namespace

Result<void> ensure(sql::Database& database, std::span<const Listed> lists) {
  ById wanted;
  for (const Listed& list : lists) wanted.emplace(price_id(*list.tiers), &list);
  {
    DP_TRY(auto reader, database.read());
    DP_CHECK(drop_stored(reader, wanted));
  }
  if (wanted.empty()) return {};
  {
    DP_TRY(auto writer, database.write());
    for (const auto& [id, list] : wanted) DP_CHECK(store(writer, id, *list));
  }
  // The spool may outlive what the store has not flushed yet, and its records name these rows.
  if (Result<void> durable = database.make_durable(); !durable) {
    log::warn("new prices are stored but not flushed yet", {{"detail", durable.error().detail}});
  }
  return {};
}

Result<PriceTiers> load(sql::Reader& reader, base::PriceId id) {
  DP_TRY(const auto rows,
         reader.query<std::string>("SELECT tiers FROM price_snapshots WHERE id = ?", id));
  if (rows.empty()) return Error(ErrorCode::not_found, "There is no such price.");
  Result<PriceTiers> tiers = read_price_tiers(rows.front(), "tiers");
  if (!tiers || price_id(*tiers) != id) return damaged(id);
  return tiers;
}

}  // namespace deeppool::governance::snapshots
