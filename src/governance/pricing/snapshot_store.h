// The table price_snapshots: every price list that was ever in force, so that a usage row can say
// for good what it was charged by. A row's id is made from what it says (price_id), so that every
// instance, and this one after any crash, gives the same list the same id. Rows never change.
// Blocking; for blocking pools only.
#pragma once

#include <span>

#include "governance/pricing/price_tiers.h"
#include "sql/database.h"

namespace deeppool::governance::snapshots {

struct Listed {
  const PriceTiers* tiers;
  int64_t since_ms;  // unix; only for people to read
};

// Writes the lists that are not there; durably, unless the log says otherwise.
Result<void> ensure(sql::Database& database, std::span<const Listed> lists);
// not_found if there is none; internal if the row does not say what its id says.
Result<PriceTiers> load(sql::Reader& reader, base::PriceId id);

}  // namespace deeppool::governance::snapshots
