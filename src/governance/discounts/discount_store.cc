#include "governance/discounts/discount_store.h"

#include "governance/funds/terms.h"
#include "sql/dialect.h"

#define DP_DISCOUNT_COLUMNS \
  "id, user_id, discount_ppm, starts_at, ends_at, remark, created_at, revoked_at"
#define DP_DISCOUNT_SEARCH                                                       \
  " FROM discounts WHERE (? = 0 OR user_id = ?) AND LOWER(remark) LIKE LOWER(?)" \
  " ESCAPE '!' AND (? = 0 OR (revoked_at IS NULL AND starts_at <= ? AND"         \
  " (ends_at IS NULL OR ends_at > ?)))"

namespace deeppool::governance {

Discount Discount::from_row(const sql::Row& row) {
  Discount d;
  row.into(d.id, d.user, d.ppm, d.starts_at_ms, d.ends_at_ms, d.remark, d.created_at_ms,
           d.revoked_at_ms);
  return d;
}

namespace discounts {

Result<base::DiscountId> create(sql::Writer& tx, const NewDiscount& d) {
  DP_TRY(const auto done,
         tx.execute("INSERT INTO discounts (user_id, discount_ppm, starts_at, ends_at, remark,"
                    " created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    d.user, d.ppm, d.starts_at_ms, d.ends_at_ms, d.remark, d.created_by, d.now_ms));
  DP_CHECK(terms_changed(tx));
  return base::DiscountId{done.last_insert_id};
}

Result<Discount> get(sql::Reader& reader, base::DiscountId id) {
  DP_TRY(auto discount, reader.query_one<Discount>(
                            "SELECT " DP_DISCOUNT_COLUMNS " FROM discounts WHERE id = ?", id));
  if (discount) return *std::move(discount);
  return Error(ErrorCode::not_found, "There is no such discount.");
}

Result<Discount> revoke(sql::Writer& tx, base::DiscountId id, int64_t now_ms) {
  DP_CHECK(tx.execute("UPDATE discounts SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?",
                      now_ms, id));
  DP_CHECK(terms_changed(tx));
  return get(tx, id);
}

Result<Found> search(sql::Reader& reader, const Search& w) {
  const base::UserId user = w.user.value_or(base::UserId{});
  const std::string keyword = sql::like_pattern(w.keyword);
  const int64_t at = w.in_force_ms.value_or(0);
  Found found;
  DP_TRY(found.total, reader.query_value<int64_t>("SELECT COUNT(*)" DP_DISCOUNT_SEARCH, user, user,
                                                  keyword, at, at, at));
  DP_TRY(found.discounts,
         reader.query<Discount>("SELECT " DP_DISCOUNT_COLUMNS DP_DISCOUNT_SEARCH
                                " ORDER BY id DESC LIMIT ? OFFSET ?",
                                user, user, keyword, at, at, at, w.limit, w.offset));
  return found;
}

}  // namespace discounts
}  // namespace deeppool::governance
