#include "governance/grants/grant_store.h"

#include "governance/funds/terms.h"
#include "sql/dialect.h"

#define DP_GRANT_COLUMNS                                                                    \
  "id, user_id, tokens_total, tokens_used, tokens_leased, expires_at, remark, created_at, " \
  "revoked_at"
#define DP_GRANT_SEARCH                                                              \
  " FROM token_grants WHERE (? = 0 OR user_id = ?) AND LOWER(remark) LIKE LOWER(?)"  \
  " ESCAPE '!' AND (? = 0 OR (revoked_at IS NULL AND tokens_used < tokens_total AND" \
  " (expires_at IS NULL OR expires_at > ?)))"

namespace deeppool::governance {

TokenGrant TokenGrant::from_row(const sql::Row& row) {
  TokenGrant g;
  row.into(g.id, g.user, g.tokens_total, g.tokens_used, g.tokens_leased, g.expires_at_ms, g.remark,
           g.created_at_ms, g.revoked_at_ms);
  return g;
}

namespace grants {

Result<base::GrantId> create(sql::Writer& tx, const NewGrant& g) {
  DP_TRY(const auto done,
         tx.execute("INSERT INTO token_grants (user_id, tokens_total, expires_at, remark,"
                    " created_by, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                    g.user, g.tokens, g.expires_at_ms, g.remark, g.created_by, g.now_ms));
  DP_CHECK(terms_changed(tx));
  return base::GrantId{done.last_insert_id};
}

Result<TokenGrant> get(sql::Reader& reader, base::GrantId id) {
  DP_TRY(auto grant, reader.query_one<TokenGrant>(
                         "SELECT " DP_GRANT_COLUMNS " FROM token_grants WHERE id = ?", id));
  if (grant) return *std::move(grant);
  return Error(ErrorCode::not_found, "There is no such grant.");
}

Result<TokenGrant> revoke(sql::Writer& tx, base::GrantId id, int64_t now_ms) {
  DP_CHECK(tx.execute("UPDATE token_grants SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?",
                      now_ms, id));
  DP_CHECK(terms_changed(tx));
  return get(tx, id);
}

Result<Found> search(sql::Reader& reader, const Search& w) {
  const base::UserId user = w.user.value_or(base::UserId{});
  const std::string keyword = sql::like_pattern(w.keyword);
  const int64_t usable = w.usable_at_ms.value_or(0);
  Found found;
  DP_TRY(found.total, reader.query_value<int64_t>("SELECT COUNT(*)" DP_GRANT_SEARCH, user, user,
                                                  keyword, usable, usable));
  DP_TRY(found.grants,
         reader.query<TokenGrant>("SELECT " DP_GRANT_COLUMNS DP_GRANT_SEARCH
                                  " ORDER BY id DESC LIMIT ? OFFSET ?",
                                  user, user, keyword, usable, usable, w.limit, w.offset));
  return found;
}

}  // namespace grants
}  // namespace deeppool::governance
