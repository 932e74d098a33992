#include "adminapi/audit_store.h"

#include "sql/dialect.h"

namespace deeppool::adminapi::audit {

Entry Entry::from_row(const sql::Row& row) {
  Entry e;
  std::optional<base::UserId> actor;
  row.into(e.id, e.at_ms, actor, e.actor_name, e.action, e.object_type, e.object_id, e.detail,
           e.ip);
  e.actor = actor.value_or(base::UserId{});
  return e;
}

Result<void> record(sql::Writer& tx, const Entry& e) {
  DP_CHECK(tx.execute(
      "INSERT INTO audit_log (at, actor_user_id, actor_name, action, object_type, "
      "object_id, detail, ip) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      e.at_ms, e.actor, e.actor_name, e.action, e.object_type, e.object_id, e.detail, e.ip));
  return {};
}

// What both statements of a search look for.
#define DP_AUDIT_WHERE                                                                      \
  "FROM audit_log WHERE at >= ? AND at < ? AND actor_name = COALESCE(?, actor_name) AND "   \
  "action = COALESCE(?, action) AND object_type = COALESCE(?, object_type) AND "            \
  "object_id = COALESCE(?, object_id) AND (LOWER(actor_name) LIKE LOWER(?) ESCAPE '!' OR "  \
  "LOWER(action) LIKE LOWER(?) ESCAPE '!' OR LOWER(object_id) LIKE LOWER(?) ESCAPE '!' OR " \
  "LOWER(detail) LIKE LOWER(?) ESCAPE '!')"

Result<Found> search(sql::Reader& reader, const Search& w) {
  const std::string pattern = sql::like_pattern(w.keyword);
  Found found;
  DP_TRY(found.total, reader.query_value<int64_t>("SELECT COUNT(*) " DP_AUDIT_WHERE, w.from_ms,
                                                  w.to_ms, w.actor, w.action, w.object_type,
                                                  w.object_id, pattern, pattern, pattern, pattern));
  DP_TRY(found.entries,
         reader.query<Entry>(
             "SELECT id, at, actor_user_id, actor_name, action, object_type, object_id, detail, "
             "ip " DP_AUDIT_WHERE " ORDER BY at DESC, id DESC LIMIT ? OFFSET ?",
             w.from_ms, w.to_ms, w.actor, w.action, w.object_type, w.object_id, pattern, pattern,
             pattern, pattern, w.limit, w.offset));
  return found;
}

#undef DP_AUDIT_WHERE

}  // namespace deeppool::adminapi::audit
