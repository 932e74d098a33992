#include "provider/model_store.h"

#include <algorithm>
#include <span>
#include <unordered_map>

#include "json/string_list.h"

namespace deeppool::provider::models {
namespace {

constexpr std::string_view kHybrid = "hybrid";
constexpr size_t kMaxNamesShown = 300;  // bytes of parents in an error message

Error no_such_model() {
  return Error(ErrorCode::not_found, "There is no such model.");
}

// A row as it is stored: lists still as text, its endpoints not yet read.
struct RawModel {
  StoredModel model;
  std::string children;
  std::string tags;

  static RawModel from_row(const sql::Row& row) {
    RawModel out;
    StoredModel& m = out.model;
    row.into(m.id, m.model_name, m.vendor_type, out.children, m.routing_policy, m.pricing_tiers,
             m.contributor_tiers, m.max_context_length, m.max_output_tokens, m.param_scale,
             m.supports_reasoning, m.supports_function_call, m.supports_vision, out.tags,
             m.priority, m.enabled, m.created_at_ms, m.updated_at_ms, m.hedge_after_ms,
             m.hedge_max_percent);
    return out;
  }
};

// Reads the endpoints of `raw` (any number, one statement per 4,096) and the tags.
Result<std::vector<StoredModel>> cooked(sql::Reader& reader, std::vector<RawModel> raw) {
  std::vector<base::ModelId> ids;
  std::unordered_map<base::ModelId, StoredModel*> by_id;
  std::vector<StoredModel> models;
  models.reserve(raw.size());
  for (RawModel& r : raw) {
    DP_TRY(r.model.child_models, json::parse_string_list(r.children));
    DP_TRY(r.model.tags, json::parse_string_list(r.tags));
    ids.push_back(r.model.id);
    models.push_back(std::move(r.model));
    by_id[ids.back()] = &models.back();
  }
  DP_TRY(auto links, (reader.query_list<base::ModelId, int64_t, base::EndpointId>(
                         "SELECT model_id, position, endpoint_id FROM model_endpoint_links "
                         "WHERE model_id IN ({list})",
                         std::span(std::as_const(ids)))));
  std::ranges::sort(links);
  for (const auto& [model, position, endpoint] : links) {
    by_id.at(model)->endpoint_ids.push_back(endpoint);
  }
  return models;
}

Result<void> write_links(sql::Writer& tx, const StoredModel& model) {
  DP_CHECK(tx.execute("DELETE FROM model_endpoint_links WHERE model_id = ?", model.id));
  DP_TRY(const auto known,
         tx.query_list<base::EndpointId>("SELECT id FROM model_endpoints WHERE id IN ({list})",
                                         std::span(std::as_const(model.endpoint_ids))));
  std::vector<std::tuple<base::ModelId, base::EndpointId, int64_t>> rows;
  for (const base::EndpointId id : model.endpoint_ids) {
    if (std::ranges::find(known, id) == known.end()) {
      return Error::invalid("endpoint_ids",
                            "There is no endpoint with the id " + std::to_string(id.value) + ".");
    }
    rows.emplace_back(model.id, id, static_cast<int64_t>(rows.size()));
  }
  return tx.insert_rows(
      "INSERT INTO model_endpoint_links (model_id, endpoint_id, position) {rows}",
      std::span(std::as_const(rows)));
}

}  // namespace

Result<std::vector<StoredModel>> load_enabled(sql::Reader& reader) {
  DP_TRY(auto rows,
         reader.query<RawModel>(
             "SELECT id, model_name, vendor_type, child_models, routing_policy, pricing_tiers, "
             "contributor_tiers, "
             "max_context_length, max_output_tokens, "
             "param_scale, supports_reasoning, supports_function_call, supports_vision, tags, "
             "priority, enabled, created_at, updated_at, hedge_after_ms, hedge_max_percent FROM "
             "model_registry WHERE enabled = 1 "
             "ORDER BY priority DESC, model_name"));
  return cooked(reader, std::move(rows));
}

Result<Found> search(sql::Reader& reader, const Search& wanted) {
  const std::string pattern = sql::like_pattern(wanted.keyword);
  std::optional<int64_t> enabled;
  if (wanted.which != Which::all) enabled = wanted.which == Which::enabled ? 1 : 0;
  Found found;
  DP_TRY(found.total,
         reader.query_value<int64_t>(
             "SELECT COUNT(*) FROM model_registry WHERE LOWER(model_name) LIKE LOWER(?) "
             "ESCAPE '!' AND enabled = COALESCE(?, enabled)",
             pattern, enabled));
  DP_TRY(auto rows,
         reader.query<RawModel>(
             "SELECT id, model_name, vendor_type, child_models, routing_policy, pricing_tiers, "
             "contributor_tiers, "
             "max_context_length, max_output_tokens, "
             "param_scale, supports_reasoning, supports_function_call, supports_vision, tags, "
             "priority, enabled, created_at, updated_at, hedge_after_ms, hedge_max_percent FROM "
             "model_registry WHERE "
             "LOWER(model_name) LIKE LOWER(?) ESCAPE '!' AND enabled = COALESCE(?, enabled) "
             "ORDER BY priority DESC, model_name LIMIT ? OFFSET ?",
             pattern, enabled, wanted.limit, wanted.offset));
  DP_TRY(found.models, cooked(reader, std::move(rows)));
  return found;
}

Result<StoredModel> get(sql::Reader& reader, base::ModelId id) {
  DP_TRY(auto rows,
         reader.query<RawModel>(
             "SELECT id, model_name, vendor_type, child_models, routing_policy, pricing_tiers, "
             "contributor_tiers, "
             "max_context_length, max_output_tokens, "
             "param_scale, supports_reasoning, supports_function_call, supports_vision, tags, "
             "priority, enabled, created_at, updated_at, hedge_after_ms, hedge_max_percent FROM "
             "model_registry WHERE id = ?",
             id));
  if (rows.empty()) return no_such_model();
  DP_TRY(auto models, cooked(reader, std::move(rows)));
  return std::move(models.front());
}

Result<std::vector<std::string>> unknown_names(sql::Reader& reader,
                                               const std::vector<std::string>& names) {
  DP_TRY(const auto known, reader.query_list<std::string>(
                               "SELECT model_name FROM model_registry WHERE model_name IN ({list})",
                               std::span(names)));
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) == known.end()) unknown.push_back(name);
  }
  return unknown;
}

Result<void> check_children(sql::Reader& reader, const std::vector<std::string>& names) {
  DP_TRY(const auto found, (reader.query_list<std::string, std::string>(
                               "SELECT model_name, vendor_type FROM model_registry "
                               "WHERE model_name IN ({list})",
                               std::span(names))));
  for (const std::string& name : names) {
    const auto row = std::ranges::find(found, name, [](const auto& r) { return std::get<0>(r); });
    if (row == found.end()) {
      return Error::invalid("child_models", "There is no model \"" + name + "\".");
    }
    if (std::get<1>(*row) == kHybrid) {
      return Error::invalid("child_models",
                            "\"" + name + "\" is a hybrid itself; children must not be.");
    }
  }
  return {};
}

Result<void> check_childless(sql::Reader& reader, const std::string& name) {
  DP_TRY(const auto hybrids,
         (reader.query<std::string, std::string>(
             "SELECT model_name, child_models FROM model_registry WHERE vendor_type = ? "
             "ORDER BY model_name",
             kHybrid)));
  std::string parents;
  for (const auto& [hybrid, children_text] : hybrids) {
    DP_TRY(const auto children, json::parse_string_list(children_text));
    if (std::ranges::find(children, name) == children.end()) continue;
    if (parents.size() > kMaxNamesShown) {
      parents += " ...";
      break;
    }
    parents += (parents.empty() ? "" : ", ") + hybrid;
  }
  if (parents.empty()) return {};
  return Error(ErrorCode::conflict, "Hybrid models are made of this model (" + parents +
                                        "). Take it out of them first.");
}

Result<base::ModelId> create(sql::Writer& tx, const StoredModel& m, int64_t now_ms) {
  // The columns of devices: empty for other models.
  DP_TRY(const sql::Outcome done,
         tx.execute("INSERT INTO model_registry (model_name, vendor_type, child_models, "
                    "routing_policy, pricing_tiers, contributor_tiers, max_context_length, "
                    "max_output_tokens, param_scale, supports_reasoning, supports_function_call, "
                    "supports_vision, tags, priority, enabled, hedge_after_ms, hedge_max_percent, "
                    "supported_engines, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, "
                    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]', ?, ?)",
                    m.model_name, m.vendor_type, json::write_string_list(m.child_models),
                    m.routing_policy, m.pricing_tiers, m.contributor_tiers, m.max_context_length,
                    m.max_output_tokens, m.param_scale, m.supports_reasoning,
                    m.supports_function_call, m.supports_vision, json::write_string_list(m.tags),
                    m.priority, m.enabled, m.hedge_after_ms, m.hedge_max_percent, now_ms, now_ms));
  StoredModel linked = m;
  linked.id = base::ModelId{done.last_insert_id};
  DP_CHECK(write_links(tx, linked));
  return linked.id;
}

Result<void> update(sql::Writer& tx, const StoredModel& m, int64_t now_ms) {
  DP_TRY(
      const sql::Outcome done,
      tx.execute(
          "UPDATE model_registry SET model_name = ?, vendor_type = ?, "
          "child_models = ?, routing_policy = ?, pricing_tiers = ?, "
          "contributor_tiers = ?, max_context_length = ?, max_output_tokens = ?, param_scale = ?, "
          "supports_reasoning = ?, supports_function_call = ?, supports_vision = ?, "
          "tags = ?, priority = ?, enabled = ?, hedge_after_ms = ?, hedge_max_percent = ?, "
          "updated_at = ? WHERE id = ?",
          m.model_name, m.vendor_type, json::write_string_list(m.child_models), m.routing_policy,
          m.pricing_tiers, m.contributor_tiers, m.max_context_length, m.max_output_tokens,
          m.param_scale, m.supports_reasoning, m.supports_function_call, m.supports_vision,
          json::write_string_list(m.tags), m.priority, m.enabled, m.hedge_after_ms,
          m.hedge_max_percent, now_ms, m.id));
  if (done.affected == 0) return no_such_model();
  return write_links(tx, m);
}

Result<void> remove(sql::Writer& tx, base::ModelId id) {
  DP_TRY(const sql::Outcome done, tx.execute("DELETE FROM model_registry WHERE id = ?", id));
  if (done.affected == 0) return no_such_model();
  return {};
}

Result<Counts> count(sql::Reader& reader) {
  DP_TRY(const auto row, (reader.query_value<int64_t, std::optional<int64_t>>(
                             "SELECT COUNT(*), SUM(enabled) FROM model_registry")));
  return Counts{std::get<0>(row), std::get<1>(row).value_or(0)};
}

}  // namespace deeppool::provider::models
