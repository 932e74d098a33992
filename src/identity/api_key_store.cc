#include "identity/api_key_store.h"

#include <algorithm>

#include "identity/limits.h"
#include "identity/tokens.h"
#include "json/string_list.h"

namespace deeppool::identity::api_keys {
namespace {

Error no_such_key() {
  return Error(ErrorCode::not_found, "There is no such API key.");
}

crypto::SealedPlace place_of(base::ApiKeyId id) {
  return {"api_keys", id.value, "key_sealed"};
}

// A row as it is stored: allowed_models still as text.
struct RawKey {
  StoredKey stored;
  std::string models;

  static RawKey from_row(const sql::Row& row) {
    RawKey out;
    StoredKey& s = out.stored;
    row.into(s.key.id, s.key.owner, s.key.name, s.key.enabled, s.key.rate_limit_rpm,
             s.key.rate_limit_tpm, s.key.max_inflight, s.key.quota_total, s.key.quota_used,
             s.key.expires_at_ms, out.models, s.prefix, s.charged, s.created_at_ms, s.updated_at_ms,
             s.last_used_at_ms);
    return out;
  }
};

Result<StoredKey> cooked(RawKey raw) {
  DP_TRY(raw.stored.key.allowed_models, json::parse_string_list(raw.models));
  return std::move(raw.stored);
}

std::string models_text(const ApiKey& key) {
  std::vector<std::string> sorted = key.allowed_models;
  std::ranges::sort(sorted);
  return json::write_string_list(sorted);
}

}  // namespace

Result<std::vector<KeySnapshot::Entry>> load_all(sql::Reader& reader) {
  std::vector<KeySnapshot::Entry> entries;
  Result<void> models_read;
  const auto add = [&](const sql::Row& row) {
    KeySnapshot::Entry& e = entries.emplace_back();
    std::string_view models;
    row.into(e.hash, e.key.id, e.key.owner, e.key.name, e.key.enabled, e.key.owner_enabled,
             e.key.rate_limit_rpm, e.key.rate_limit_tpm, e.key.max_inflight, e.key.quota_total,
             e.key.quota_used, e.key.expires_at_ms, models);
    auto list = json::parse_string_list(models);
    if (list) {
      e.key.allowed_models = *std::move(list);
    } else {
      models_read = std::move(list).error();
    }
  };
  DP_CHECK(reader.for_each(
      add,
      "SELECT k.key_hash, k.id, k.user_id, k.name, k.enabled, u.enabled, k.rate_limit_rpm, "
      "k.rate_limit_tpm, k.max_inflight, k.quota_total, k.quota_used, k.expires_at, "
      "k.allowed_models "
      "FROM api_keys k JOIN users u ON u.id = k.user_id"));
  DP_CHECK(std::move(models_read));
  return entries;
}

Result<Found> search(sql::Reader& reader, base::UserId owner, const Search& wanted) {
  const std::string pattern = sql::like_pattern(wanted.keyword);
  Found found;
  DP_TRY(found.total,
         reader.query_value<int64_t>("SELECT COUNT(*) FROM api_keys WHERE user_id = ? AND "
                                     "LOWER(name) LIKE LOWER(?) ESCAPE '!'",
                                     owner, pattern));
  DP_TRY(auto rows,
         reader.query<RawKey>(
             "SELECT id, user_id, name, enabled, rate_limit_rpm, rate_limit_tpm, max_inflight, "
             "quota_total, "
             "quota_used, expires_at, allowed_models, key_prefix, charged, created_at, updated_at, "
             "last_used_at FROM api_keys WHERE user_id = ? AND LOWER(name) LIKE LOWER(?) "
             "ESCAPE '!' ORDER BY id DESC LIMIT ? OFFSET ?",
             owner, pattern, wanted.limit, wanted.offset));
  for (RawKey& raw : rows) {
    DP_TRY(StoredKey key, cooked(std::move(raw)));
    found.keys.push_back(std::move(key));
  }
  return found;
}

Result<StoredKey> get(sql::Reader& reader, base::UserId owner, base::ApiKeyId id) {
  DP_TRY(auto row,
         reader.query_one<RawKey>(
             "SELECT id, user_id, name, enabled, rate_limit_rpm, rate_limit_tpm, max_inflight, "
             "quota_total, "
             "quota_used, expires_at, allowed_models, key_prefix, charged, created_at, updated_at, "
             "last_used_at FROM api_keys WHERE id = ? AND user_id = ?",
             id, owner));
  if (!row) return no_such_key();
  return cooked(*std::move(row));
}

Result<base::ApiKeyId> create(sql::Writer& tx, const Creation& creation) {
  const ApiKey& key = creation.key;
  // The owner's row is the lock that makes counting and inserting one step.
  DP_TRY(const auto owner,
         tx.query_one<base::UserId>("SELECT id FROM users WHERE id = ? {for_update}", key.owner));
  if (!owner) return Error(ErrorCode::not_found, "There is no such user.");
  DP_TRY(const int64_t held,
         tx.query_value<int64_t>("SELECT COUNT(*) FROM api_keys WHERE user_id = ?", key.owner));
  if (held >= kMaxKeysPerUser) {
    return Error(ErrorCode::conflict, "You have " + std::to_string(held) +
                                          " API keys, the most that an account may have. Delete "
                                          "one that is no longer used.");
  }
  const crypto::Digest hash = crypto::sha256(creation.secret);
  DP_TRY(
      const sql::Outcome done,
      tx.execute(
          "INSERT INTO api_keys (user_id, name, key_hash, key_prefix, key_sealed, "
          "rate_limit_rpm, rate_limit_tpm, max_inflight, quota_total, allowed_models, expires_at, "
          "enabled, created_at, updated_at) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          key.owner, key.name, hash, creation.secret.substr(0, kShownKeyBytes), sql::Blob{""},
          key.rate_limit_rpm, key.rate_limit_tpm, key.max_inflight, key.quota_total,
          models_text(key), key.expires_at_ms, key.enabled, creation.now_ms, creation.now_ms));
  const base::ApiKeyId id{done.last_insert_id};
  const std::string sealed = creation.sealer.seal(place_of(id), creation.secret);
  DP_CHECK(tx.execute("UPDATE api_keys SET key_sealed = ? WHERE id = ?", sql::Blob{sealed}, id));
  return id;
}

Result<void> update(sql::Writer& tx, const ApiKey& key, int64_t now_ms) {
  DP_TRY(
      const sql::Outcome done,
      tx.execute(
          "UPDATE api_keys SET name = ?, rate_limit_rpm = ?, rate_limit_tpm = ?, max_inflight = ?, "
          "allowed_models = ?, expires_at = ?, enabled = ?, "
          "updated_at = ? WHERE id = ? AND user_id = ?",
          key.name, key.rate_limit_rpm, key.rate_limit_tpm, key.max_inflight, models_text(key),
          key.expires_at_ms, key.enabled, now_ms, key.id, key.owner));
  if (done.affected == 0) return no_such_key();
  return set_quota(tx, key.id, key.quota_total);
}

Result<void> set_quota(sql::Writer& tx, base::ApiKeyId id, int64_t total) {
  // What is missing under the new one counts as debt: those who hold it may use it.
  DP_CHECK(
      tx.execute("UPDATE api_keys SET quota_exceeded ="
                 " CASE WHEN ? < 0 OR quota_used + quota_leased <= ? THEN 0"
                 " ELSE quota_used + quota_leased - ? END,"
                 " quota_total = ? WHERE id = ? AND quota_total <> ?",
                 total, total, total, total, id, total));
  return {};
}

Result<void> remove(sql::Writer& tx, base::UserId owner, base::ApiKeyId id) {
  DP_TRY(const sql::Outcome done,
         tx.execute("DELETE FROM api_keys WHERE id = ? AND user_id = ?", id, owner));
  if (done.affected == 0) return no_such_key();
  return {};
}

Result<std::string> reveal(sql::Reader& reader, const crypto::Sealer& sealer, base::UserId owner,
                           base::ApiKeyId id) {
  DP_TRY(const auto sealed,
         reader.query_one<std::string>(
             "SELECT key_sealed FROM api_keys WHERE id = ? AND user_id = ?", id, owner));
  if (!sealed) return no_such_key();
  return sealer.open(place_of(id), *sealed);
}

Result<Counts> count(sql::Reader& reader) {
  DP_TRY(const auto row, (reader.query_value<int64_t, std::optional<int64_t>>(
                             "SELECT COUNT(*), SUM(enabled) FROM api_keys")));
  return Counts{std::get<0>(row), std::get<1>(row).value_or(0)};
}

}  // namespace deeppool::identity::api_keys
