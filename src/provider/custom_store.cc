#include "provider/custom_store.h"

#include <algorithm>

#include "json/string_list.h"

namespace deeppool::provider::custom {
namespace {

#define DP_CUSTOM_COLUMNS                                                                    \
  "SELECT m.id, m.user_id, m.name, m.model_name, m.vendor_type, m.child_models, "            \
  "m.routing_policy, m.provider_type, m.endpoint, m.upstream_model, m.max_context_length, "  \
  "m.max_output_tokens, m.supports_reasoning, m.supports_function_call, m.supports_vision, " \
  "m.enabled, m.created_at, m.updated_at, m.api_key_sealed FROM user_custom_models m "

Error no_such_model() {
  return Error(ErrorCode::not_found, "There is no such model.");
}

crypto::SealedPlace place_of(CustomId id) {
  return {"user_custom_models", id.value, "api_key_sealed"};
}

// A row as it is stored: the children still as text.
struct RawCustom {
  StoredCustom model;
  std::string children;

  static RawCustom from_row(const sql::Row& row) {
    RawCustom out;
    StoredCustom& m = out.model;
    row.into(m.id, m.owner, m.name, m.model_name, m.vendor_type, out.children, m.routing_policy,
             m.provider_type, m.endpoint, m.upstream_model, m.max_context_length,
             m.max_output_tokens, m.supports_reasoning, m.supports_function_call, m.supports_vision,
             m.enabled, m.created_at_ms, m.updated_at_ms, m.key_sealed);
    return out;
  }
};

Result<std::vector<StoredCustom>> cooked(std::vector<RawCustom> raw) {
  std::vector<StoredCustom> models;
  models.reserve(raw.size());
  for (RawCustom& r : raw) {
    DP_TRY(r.model.child_models, json::parse_string_list(r.children));
    models.push_back(std::move(r.model));
  }
  return models;
}

Error named(Error error) {
  if (error.code != ErrorCode::conflict) return error;
  Error taken(ErrorCode::conflict, "You have a model of this name.");
  taken.param = "name";
  return taken;
}

}  // namespace

std::string full_name(base::UserId owner, std::string_view name) {
  return "u" + std::to_string(owner.value) + "-" + std::string(name);
}

bool looks_custom(std::string_view model_name) {
  const size_t dash = model_name.find('-');
  if (dash == std::string_view::npos || dash < 2 || model_name[0] != 'u') return false;
  return std::ranges::all_of(model_name.substr(1, dash - 1),
                             [](char c) { return c >= '0' && c <= '9'; });
}

Result<std::vector<StoredCustom>> load_enabled(sql::Reader& reader) {
  DP_TRY(auto rows,
         reader.query<RawCustom>(DP_CUSTOM_COLUMNS "JOIN users u ON u.id = m.user_id "
                                                   "WHERE m.enabled = 1 AND u.enabled = 1 "
                                                   "ORDER BY m.user_id, m.name"));
  return cooked(std::move(rows));
}

Result<std::vector<StoredCustom>> list(sql::Reader& reader, base::UserId owner) {
  DP_TRY(auto rows,
         reader.query<RawCustom>(DP_CUSTOM_COLUMNS "WHERE m.user_id = ? ORDER BY m.name", owner));
  return cooked(std::move(rows));
}

Result<StoredCustom> get(sql::Reader& reader, base::UserId owner, CustomId id) {
  DP_TRY(auto rows,
         reader.query<RawCustom>(DP_CUSTOM_COLUMNS "WHERE m.id = ? AND m.user_id = ?", id, owner));
  if (rows.empty()) return no_such_model();
  DP_TRY(auto models, cooked(std::move(rows)));
  return std::move(models.front());
}

Result<std::string> reveal_key(const crypto::Sealer& sealer, const StoredCustom& model) {
  if (!model.key_sealed) return std::string();
  return sealer.open(place_of(model.id), *model.key_sealed);
}

Result<CustomId> create(sql::Writer& tx, const StoredCustom& m, int64_t now_ms) {
  auto done = tx.execute(
      "INSERT INTO user_custom_models (user_id, name, model_name, vendor_type, child_models, "
      "routing_policy, provider_type, endpoint, upstream_model, max_context_length, "
      "max_output_tokens, supports_reasoning, supports_function_call, supports_vision, enabled, "
      "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      m.owner, m.name, full_name(m.owner, m.name), m.vendor_type,
      json::write_string_list(m.child_models), m.routing_policy, m.provider_type, m.endpoint,
      m.upstream_model, m.max_context_length, m.max_output_tokens, m.supports_reasoning,
      m.supports_function_call, m.supports_vision, m.enabled, now_ms, now_ms);
  if (!done) return named(std::move(done).error());
  return CustomId{done->last_insert_id};
}

Result<void> update(sql::Writer& tx, const StoredCustom& m, int64_t now_ms) {
  auto done = tx.execute(
      "UPDATE user_custom_models SET name = ?, model_name = ?, vendor_type = ?, child_models = ?, "
      "routing_policy = ?, provider_type = ?, endpoint = ?, upstream_model = ?, "
      "max_context_length = ?, max_output_tokens = ?, supports_reasoning = ?, "
      "supports_function_call = ?, supports_vision = ?, enabled = ?, updated_at = ? "
      "WHERE id = ? AND user_id = ?",
      m.name, full_name(m.owner, m.name), m.vendor_type, json::write_string_list(m.child_models),
      m.routing_policy, m.provider_type, m.endpoint, m.upstream_model, m.max_context_length,
      m.max_output_tokens, m.supports_reasoning, m.supports_function_call, m.supports_vision,
      m.enabled, now_ms, m.id, m.owner);
  if (!done) return named(std::move(done).error());
  if (done->affected == 0) return no_such_model();
  return {};
}

Result<void> set_key(sql::Writer& tx, const crypto::Sealer& sealer, CustomId id,
                     std::string_view key) {
  const std::string sealed = key.empty() ? std::string() : sealer.seal(place_of(id), key);
  std::optional<sql::Blob> stored;
  if (!key.empty()) stored = sql::Blob{sealed};
  DP_TRY(const sql::Outcome done,
         tx.execute("UPDATE user_custom_models SET api_key_sealed = ? WHERE id = ?", stored, id));
  if (done.affected == 0) return no_such_model();
  return {};
}

Result<void> remove(sql::Writer& tx, base::UserId owner, CustomId id) {
  DP_TRY(const sql::Outcome done,
         tx.execute("DELETE FROM user_custom_models WHERE id = ? AND user_id = ?", id, owner));
  if (done.affected == 0) return no_such_model();
  return {};
}

}  // namespace deeppool::provider::custom
