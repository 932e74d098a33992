// The tables model_registry and model_endpoint_links: models as administrators keep them. Blocking;
// for blocking pools only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "sql/session.h"

namespace deeppool::provider::models {

struct StoredModel {
  base::ModelId id;
  std::string model_name;
  std::string vendor_type = "provider";
  std::vector<std::string> child_models;  // of a hybrid, in the order in which they are listed
  std::string routing_policy;             // of a hybrid, YAML; empty: the default one
  // Price lists as JSON (governance/pricing/price_tiers.h); "null": no price was ever set.
  std::string pricing_tiers = "null";
  std::string contributor_tiers = "[]";
  int64_t max_context_length = 0;
  int64_t max_output_tokens = 0;
  std::string param_scale;
  bool supports_reasoning = false;
  bool supports_function_call = false;
  bool supports_vision = false;
  std::vector<std::string> tags;
  int64_t priority = 0;
  bool enabled = true;
  int64_t hedge_after_ms = 0;     // without a first byte, a second endpoint is asked; 0: never
  int64_t hedge_max_percent = 5;  // of its requests
  int64_t created_at_ms = 0;
  int64_t updated_at_ms = 0;
  std::vector<base::EndpointId> endpoint_ids;  // in the order in which they are listed
};

enum class Which { all, enabled, disabled };
struct Search {
  std::string keyword;  // in the name; empty: all
  Which which = Which::all;
  int64_t limit = 20;
  int64_t offset = 0;
};
struct Found {
  std::vector<StoredModel> models;  // higher priority first, then by name
  int64_t total = 0;
};

// All enabled ones, for the catalog; same order.
Result<std::vector<StoredModel>> load_enabled(sql::Reader& reader);
Result<Found> search(sql::Reader& reader, const Search& wanted);
// not_found if there is none.
Result<StoredModel> get(sql::Reader& reader, base::ModelId id);
// Which of `names` no model has, enabled or not.
Result<std::vector<std::string>> unknown_names(sql::Reader& reader,
                                               const std::vector<std::string>& names);

// invalid_request (param `child_models`) for a name that no model has, or a hybrid's.
Result<void> check_children(sql::Reader& reader, const std::vector<std::string>& names);
// conflict if hybrids are made of the model of this name; the message names some of them.
Result<void> check_childless(sql::Reader& reader, const std::string& name);

// conflict (param `model_name`) if the name is taken; invalid_request (param `endpoint_ids`) for an
// endpoint that does not exist. Inside a transaction.
Result<base::ModelId> create(sql::Writer& tx, const StoredModel& model, int64_t now_ms);
Result<void> update(sql::Writer& tx, const StoredModel& model, int64_t now_ms);
Result<void> remove(sql::Writer& tx, base::ModelId id);

struct Counts {
  int64_t total = 0;
  int64_t enabled = 0;
};
Result<Counts> count(sql::Reader& reader);

}  // namespace deeppool::provider::models
