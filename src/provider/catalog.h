// Catalog: every model that can be called and the upstream endpoints behind it, as the hot path
// sees them. Immutable, built whole by CatalogDirectory from the tables and shared by all loops.
// Upstream keys are in the clear here and nowhere else: memory only, never logged or shown.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "crypto/sealer.h"
#include "governance/pricing/price_tiers.h"
#include "provider/health.h"
#include "provider/share_budget.h"
#include "sql/database.h"

namespace deeppool::provider {

// The kinds of upstreams that can be registered, each with its dialect (adapter.h).
inline constexpr std::array<std::string_view, 10> kProviderTypes = {
    "openai", "anthropic", "gemini", "deepseek", "qwen",
    "kimi",   "glm",       "ernie",  "minimax",  "custom"};

// What becomes of a caller's parameters that an endpoint does not take.
enum class ParamPolicy : uint8_t { drop, refuse };

struct Endpoint {
  base::EndpointId id;  // below 0: of user_custom_models
  std::string name;
  std::string provider_type;  // one of kProviderTypes
  std::string base_url;       // as it was entered
  bool tls = false;
  std::string host;
  uint16_t port = 0;
  std::string path_prefix;     // "/v1"; empty for none
  std::string ca_file;         // trusted authorities; empty: the system's
  std::string api_key;         // unsealed; empty: the upstream wants none
  std::string upstream_model;  // never empty: the model's own name where none was given
  int64_t weight = 1;
  int64_t priority = 0;      // higher is tried first
  int64_t max_inflight = 0;  // requests at once; 0: no limit
  std::string api_version;   // of the vendor's API; empty: the adapter's choice
  base::UserId owner;  // who entered it; 0: an administrator. Users' are reached in public only
  bool prefix_continuation = false;  // it goes on behind a given beginning of an answer
  ParamPolicy param_policy = ParamPolicy::drop;
  // Never null. The same object in every catalog while the endpoint's address and key stay; a new
  // one, without a past, when they change or the endpoint was disabled.
  std::shared_ptr<EndpointHealth> health;
};

// A second endpoint is asked when the first has said nothing for this long.
struct Hedging {
  base::Duration after{};               // 0: never
  std::shared_ptr<ShareBudget> budget;  // of this model, across reloads; null: never
};

struct Model;

// One of the models that a hybrid is made of, as its owner listed it.
struct Child {
  std::string name;
  std::shared_ptr<const Model> model;  // null: there is no such enabled model now
};

struct Model {
  base::ModelId id;    // below 0: of user_custom_models
  base::UserId owner;  // who alone sees it; 0: everybody does
  std::string name;
  std::string vendor_type;    // "provider" or "hybrid"
  std::string provider_type;  // of its first endpoint; empty without endpoints
  std::string owned_by;       // what /v1/models shows
  // The enabled ones, higher priority first, then in the order the model lists them. May be empty.
  std::vector<std::shared_ptr<const Endpoint>> endpoints;
  std::vector<Child> children;     // of a hybrid, none of them one; empty otherwise
  std::string routing_policy;      // of a hybrid, YAML; empty: the default one
  governance::Price price;         // not known: requests are refused; a hybrid has none of its own
  int64_t max_context_length = 0;  // tokens; 0: not stated
  int64_t max_output_tokens = 0;   // tokens; 0: not stated
  bool supports_reasoning = false;
  bool supports_function_call = false;
  bool supports_vision = false;
  std::string param_scale;  // "70B"
  std::vector<std::string> tags;
  Hedging hedging;
  int64_t priority = 0;    // order in lists, higher first
  int64_t created_ms = 0;  // unix
  int64_t updated_ms = 0;

  bool hybrid() const { return !children.empty(); }
  // Whether requests for it can be charged: its price is known, or that of one of its children.
  bool sold() const;
};

class Catalog {
 public:
  Catalog() = default;
  using Models = std::vector<std::shared_ptr<const Model>>;
  // `models` in the order in which they are listed. Of two with one name the first is it.
  Catalog(Models models, std::vector<std::shared_ptr<const Endpoint>> endpoints, uint64_t version);

  // Null if there is no such enabled model, or it is another user's. Valid as long as the catalog.
  const Model* find(std::string_view name, base::UserId caller = {}) const;
  // Everybody's; higher priority first, then by name.
  const Models& models() const { return models_; }
  // This user's own, by name.
  const Models& models_of(base::UserId user) const;
  // Calls `fn` for every model, whoever may see it.
  template <class Fn>
  void each(Fn fn) const {
    for (const auto& model : models_) fn(model);
    for (const auto& [user, models] : own_) {
      for (const auto& model : models) fn(model);
    }
  }
  // Every enabled one that can be used, by id, whether or not a model has it; as stored: an
  // upstream_model may be empty here.
  const std::vector<std::shared_ptr<const Endpoint>>& endpoints() const { return endpoints_; }
  // Null if there is none. Valid as long as the catalog.
  const Endpoint* find_endpoint(base::EndpointId id) const;
  // Grows with every reload; for caches that derive from a catalog.
  uint64_t version() const { return version_; }

 private:
  Models models_;
  std::unordered_map<base::UserId, Models> own_;
  std::vector<std::shared_ptr<const Endpoint>> endpoints_;
  std::unordered_map<std::string_view, const Model*> by_name_;
  uint64_t version_ = 0;
};

// The current Catalog, swapped whole. One per process, owned by services, safe on every thread.
class CatalogDirectory {
 public:
  // Empty before the first reload; never null.
  std::shared_ptr<const Catalog> current() const;
  // Blocking, called by the config refresh only. On an error the catalog stays as it was. An
  // endpoint whose key does not unseal or whose URL is broken is left out and logged. A price list
  // that is not in price_snapshots yet is written there first.
  Result<void> reload(sql::Database& database, const crypto::Sealer& sealer);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Catalog> current_ = std::make_shared<Catalog>();
};

}  // namespace deeppool::provider
