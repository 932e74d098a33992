#include "provider/endpoint_store.h"

namespace deeppool::provider::endpoints {
namespace {

constexpr int64_t kNamesInMessage = 5;  // of models that still use an endpoint

Error no_such_endpoint() {
  return Error(ErrorCode::not_found, "There is no such endpoint.");
}

crypto::SealedPlace place_of(base::EndpointId id) {
  return {"model_endpoints", id.value, "api_key_sealed"};
}

}  // namespace

StoredEndpoint StoredEndpoint::from_row(const sql::Row& row) {
  StoredEndpoint e;
  row.into(e.id, e.name, e.model_family, e.provider_type, e.endpoint, e.ca_file, e.upstream_model,
           e.weight, e.priority, e.max_inflight, e.enabled, e.created_at_ms, e.updated_at_ms,
           e.key_sealed, e.api_version, e.prefix_continuation, e.param_policy);
  return e;
}

Result<std::vector<StoredEndpoint>> load_enabled(sql::Reader& reader) {
  return reader.query<StoredEndpoint>(
      "SELECT id, name, model_family, provider_type, endpoint, ca_file, upstream_model, "
      "weight, priority, max_inflight, enabled, created_at, updated_at, api_key_sealed, "
      "api_version, prefix_continuation, param_policy FROM "
      "model_endpoints "
      "WHERE enabled = 1");
}

Result<Found> search(sql::Reader& reader, const Search& wanted) {
  const std::string pattern = sql::like_pattern(wanted.keyword);
  Found found;
  DP_TRY(found.total,
         reader.query_value<int64_t>(
             "SELECT COUNT(*) FROM model_endpoints WHERE (LOWER(name) LIKE LOWER(?) ESCAPE '!' OR "
             "LOWER(model_family) LIKE LOWER(?) ESCAPE '!' OR LOWER(upstream_model) LIKE LOWER(?) "
             "ESCAPE '!') AND model_family = COALESCE(?, model_family)",
             pattern, pattern, pattern, wanted.family));
  DP_TRY(found.endpoints,
         reader.query<StoredEndpoint>(
             "SELECT id, name, model_family, provider_type, endpoint, ca_file, upstream_model, "
             "weight, priority, max_inflight, enabled, created_at, updated_at, api_key_sealed, "
             "api_version, prefix_continuation, param_policy FROM "
             "model_endpoints WHERE (LOWER(name) LIKE LOWER(?) ESCAPE '!' OR LOWER(model_family) "
             "LIKE LOWER(?) ESCAPE '!' OR LOWER(upstream_model) LIKE LOWER(?) ESCAPE '!') AND "
             "model_family = COALESCE(?, model_family) ORDER BY name LIMIT ? OFFSET ?",
             pattern, pattern, pattern, wanted.family, wanted.limit, wanted.offset));
  return found;
}

Result<StoredEndpoint> get(sql::Reader& reader, base::EndpointId id) {
  DP_TRY(auto row,
         reader.query_one<StoredEndpoint>(
             "SELECT id, name, model_family, provider_type, endpoint, ca_file, upstream_model, "
             "weight, priority, max_inflight, enabled, created_at, updated_at, api_key_sealed, "
             "api_version, prefix_continuation, param_policy FROM "
             "model_endpoints WHERE id = ?",
             id));
  if (!row) return no_such_endpoint();
  return *std::move(row);
}

Result<std::string> reveal_key(const crypto::Sealer& sealer, const StoredEndpoint& endpoint) {
  if (!endpoint.key_sealed) return std::string();
  return sealer.open(place_of(endpoint.id), *endpoint.key_sealed);
}

Result<base::EndpointId> create(sql::Writer& tx, const StoredEndpoint& e, int64_t now_ms) {
  DP_TRY(const sql::Outcome done,
         tx.execute("INSERT INTO model_endpoints (name, model_family, provider_type, endpoint, "
                    "ca_file, upstream_model, weight, priority, max_inflight, enabled, "
                    "api_version, prefix_continuation, param_policy, created_at, updated_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    e.name, e.model_family, e.provider_type, e.endpoint, e.ca_file,
                    e.upstream_model, e.weight, e.priority, e.max_inflight, e.enabled,
                    e.api_version, e.prefix_continuation, e.param_policy, now_ms, now_ms));
  return base::EndpointId{done.last_insert_id};
}

Result<void> update(sql::Writer& tx, const StoredEndpoint& e, int64_t now_ms) {
  DP_TRY(const sql::Outcome done,
         tx.execute("UPDATE model_endpoints SET name = ?, model_family = ?, provider_type = ?, "
                    "endpoint = ?, ca_file = ?, upstream_model = ?, weight = ?, priority = ?, "
                    "max_inflight = ?, enabled = ?, api_version = ?, prefix_continuation = ?, "
                    "param_policy = ?, updated_at = ? WHERE id = ?",
                    e.name, e.model_family, e.provider_type, e.endpoint, e.ca_file,
                    e.upstream_model, e.weight, e.priority, e.max_inflight, e.enabled,
                    e.api_version, e.prefix_continuation, e.param_policy, now_ms, e.id));
  if (done.affected == 0) return no_such_endpoint();
  return {};
}

Result<void> set_key(sql::Writer& tx, const crypto::Sealer& sealer, base::EndpointId id,
                     std::string_view key) {
  const std::string sealed = key.empty() ? std::string() : sealer.seal(place_of(id), key);
  std::optional<sql::Blob> stored;
  if (!key.empty()) stored = sql::Blob{sealed};
  DP_TRY(const sql::Outcome done,
         tx.execute("UPDATE model_endpoints SET api_key_sealed = ? WHERE id = ?", stored, id));
  if (done.affected == 0) return no_such_endpoint();
  return {};
}

Result<void> remove(sql::Writer& tx, base::EndpointId id) {
  DP_TRY(const auto users,
         tx.query<std::string>(
             "SELECT m.model_name FROM model_endpoint_links l JOIN model_registry m "
             "ON m.id = l.model_id WHERE l.endpoint_id = ? ORDER BY m.model_name LIMIT ?",
             id, kNamesInMessage));
  if (!users.empty()) {
    std::string names;
    for (const std::string& name : users) names += (names.empty() ? "" : ", ") + name;
    return Error(ErrorCode::conflict,
                 "Models still use this endpoint (" + names + "); take it out of them first.");
  }
  DP_TRY(const sql::Outcome done, tx.execute("DELETE FROM model_endpoints WHERE id = ?", id));
  if (done.affected == 0) return no_such_endpoint();
  return {};
}

Result<Counts> count(sql::Reader& reader) {
  DP_TRY(const auto row, (reader.query_value<int64_t, std::optional<int64_t>>(
                             "SELECT COUNT(*), SUM(enabled) FROM model_endpoints")));
  return Counts{std::get<0>(row), std::get<1>(row).value_or(0)};
}

}  // namespace deeppool::provider::endpoints
