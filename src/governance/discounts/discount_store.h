// The table discounts: what part of the price a user, or everybody, does not pay for a time. The
// best one in force applies. Blocking; for blocking pools.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "sql/session.h"

namespace deeppool::governance {

struct Discount {
  base::DiscountId id;
  std::optional<base::UserId> user;  // nothing: everybody
  int64_t ppm = 0;                   // parts per million that are taken off: 200,000 is 20 %
  int64_t starts_at_ms = 0;
  std::optional<int64_t> ends_at_ms;  // exclusive; nothing: never
  std::string remark;
  int64_t created_at_ms = 0;
  std::optional<int64_t> revoked_at_ms;

  static Discount from_row(const sql::Row& row);
};

namespace discounts {

struct NewDiscount {
  std::optional<base::UserId> user;
  int64_t ppm = 0;
  int64_t starts_at_ms = 0;
  std::optional<int64_t> ends_at_ms;
  std::string remark;
  base::UserId created_by;
  int64_t now_ms = 0;
};
Result<base::DiscountId> create(sql::Writer& tx, const NewDiscount& discount);

// Charges that were made with it stay as they are. Revoking twice changes nothing. not_found: there
// is no such discount.
Result<Discount> revoke(sql::Writer& tx, base::DiscountId id, int64_t now_ms);

Result<Discount> get(sql::Reader& reader, base::DiscountId id);

// Unset filters match everything.
struct Search {
  std::optional<base::UserId> user{};    // his own, not those for everybody
  std::optional<int64_t> in_force_ms{};  // only those that apply then
  std::string keyword{};                 // in the remark
  int64_t limit = 20;
  int64_t offset = 0;
};
struct Found {
  std::vector<Discount> discounts;  // newest first
  int64_t total = 0;
};
Result<Found> search(sql::Reader& reader, const Search& wanted);

}  // namespace discounts
}  // namespace deeppool::governance
