#include "provider/catalog.h"

#include <algorithm>
#include <span>

#include "base/log.h"
#include "governance/pricing/snapshot_store.h"
#include "provider/custom_store.h"
#include "provider/live_endpoint.h"
#include "provider/model_store.h"

namespace deeppool::provider {
namespace {

using EndpointsById = std::unordered_map<base::EndpointId, std::shared_ptr<const Endpoint>>;

// What an endpoint's past was made with: the same server, asked in the same way.
bool same_connection(const Endpoint& a, const Endpoint& b) {
  return a.base_url == b.base_url && a.api_key == b.api_key && a.ca_file == b.ca_file &&
         a.provider_type == b.provider_type;
}

std::shared_ptr<EndpointHealth> health_of(const Endpoint& endpoint, const Catalog& before) {
  const Endpoint* known = before.find_endpoint(endpoint.id);
  if (known != nullptr && same_connection(*known, endpoint)) return known->health;
  return std::make_shared<EndpointHealth>();
}

Result<std::shared_ptr<const Endpoint>> open_endpoint(const endpoints::StoredEndpoint& stored,
                                                      const crypto::Sealer& sealer,
                                                      const Catalog& before) {
  DP_TRY(std::string key, endpoints::reveal_key(sealer, stored));
  DP_TRY(Endpoint e, live_endpoint(stored, std::move(key)));
  e.health = health_of(e, before);
  return std::make_shared<const Endpoint>(std::move(e));
}

EndpointsById open_all(const std::vector<endpoints::StoredEndpoint>& stored,
                       const crypto::Sealer& sealer, const Catalog& before) {
  EndpointsById by_id;
  for (const endpoints::StoredEndpoint& s : stored) {
    auto opened = open_endpoint(s, sealer, before);
    if (opened) {
      by_id[s.id] = *std::move(opened);
    } else {
      log::error("an endpoint cannot be used and is left out", {{"endpoint_id", s.id.value},
                                                                {"reason", opened.error().message},
                                                                {"detail", opened.error().detail}});
    }
  }
  return by_id;
}

// An endpoint without an upstream model of its own asks for the model under the name it has here.
std::shared_ptr<const Endpoint> serving(std::shared_ptr<const Endpoint> endpoint,
                                        const std::string& model_name) {
  if (!endpoint->upstream_model.empty()) return endpoint;
  auto named = std::make_shared<Endpoint>(*endpoint);
  named->upstream_model = model_name;
  return named;
}

// A model whose price cannot be read stays in the catalog, so that its callers are told why.
governance::Price price_of(const models::StoredModel& stored) {
  if (stored.vendor_type == "hybrid") return {};
  governance::Price price = governance::read_price(stored.pricing_tiers);
  if (price.state == governance::Price::State::unreadable) {
    log::error("a model's price cannot be read; its requests are refused",
               {{"model", stored.model_name}, {"reason", price.fault}});
  }
  return price;
}

Hedging hedging_of(const models::StoredModel& stored, const Catalog& before) {
  if (stored.hedge_after_ms <= 0 || stored.hedge_max_percent <= 0) return {};
  Hedging hedging{std::chrono::milliseconds(stored.hedge_after_ms), nullptr};
  const Model* known = before.find(stored.model_name);
  if (known != nullptr && known->hedging.budget &&
      known->hedging.budget->percent() == stored.hedge_max_percent) {
    hedging.budget = known->hedging.budget;
  } else {
    hedging.budget = std::make_shared<ShareBudget>(stored.hedge_max_percent, kHedgeStock);
  }
  return hedging;
}

std::shared_ptr<Model> build_model(models::StoredModel stored, const EndpointsById& by_id,
                                   const Catalog& before) {
  auto m = std::make_shared<Model>();
  m->hedging = hedging_of(stored, before);
  m->price = price_of(stored);
  const auto priority = [](const auto& endpoint) { return endpoint->priority; };
  for (const base::EndpointId id : stored.endpoint_ids) {
    const auto found = by_id.find(id);
    if (found == by_id.end()) continue;
    auto endpoint = serving(found->second, stored.model_name);
    const auto place = std::ranges::upper_bound(m->endpoints, endpoint->priority,
                                                std::ranges::greater(), priority);
    m->endpoints.insert(place, std::move(endpoint));
  }
  if (!m->endpoints.empty()) m->provider_type = m->endpoints.front()->provider_type;
  for (std::string& child : stored.child_models) m->children.push_back({std::move(child), nullptr});
  m->routing_policy = std::move(stored.routing_policy);
  m->id = stored.id;
  m->name = std::move(stored.model_name);
  m->vendor_type = std::move(stored.vendor_type);
  m->owned_by = m->provider_type.empty() ? m->vendor_type : m->provider_type;
  m->max_context_length = stored.max_context_length;
  m->max_output_tokens = stored.max_output_tokens;
  m->supports_reasoning = stored.supports_reasoning;
  m->supports_function_call = stored.supports_function_call;
  m->supports_vision = stored.supports_vision;
  m->param_scale = std::move(stored.param_scale);
  m->tags = std::move(stored.tags);
  m->priority = stored.priority;
  m->created_ms = stored.created_at_ms;
  m->updated_ms = stored.updated_at_ms;
  return m;
}

// The endpoint that a user entered for one model. It is not among Catalog::endpoints(): what
// probes those would reach it from inside this network.
Result<std::shared_ptr<const Endpoint>> users_endpoint(const custom::StoredCustom& stored,
                                                       const crypto::Sealer& sealer,
                                                       const Catalog& before) {
  endpoints::StoredEndpoint as_entered;
  as_entered.id = base::EndpointId{-stored.id.value};
  as_entered.name = stored.model_name;
  as_entered.provider_type = stored.provider_type;
  as_entered.endpoint = stored.endpoint;
  as_entered.upstream_model = stored.upstream_model;
  DP_TRY(std::string key, custom::reveal_key(sealer, stored));
  DP_TRY(Endpoint e, live_endpoint(as_entered, std::move(key)));
  e.owner = stored.owner;
  const Model* known = before.find(stored.model_name, stored.owner);
  const bool kept = known != nullptr && !known->endpoints.empty() &&
                    same_connection(*known->endpoints.front(), e);
  e.health = kept ? known->endpoints.front()->health : std::make_shared<EndpointHealth>();
  return std::make_shared<const Endpoint>(std::move(e));
}

// Who brings a key of their own pays its provider, not us: it is free here.
std::shared_ptr<Model> build_custom(custom::StoredCustom stored, const crypto::Sealer& sealer,
                                    const Catalog& before) {
  auto m = std::make_shared<Model>();
  if (stored.vendor_type == "hybrid") {
    for (std::string& child : stored.child_models) {
      m->children.push_back({std::move(child), nullptr});
    }
  } else {
    m->price = governance::read_price("[]");
    auto endpoint = users_endpoint(stored, sealer, before);
    if (endpoint) {
      m->provider_type = (*endpoint)->provider_type;
      m->endpoints.push_back(serving(*std::move(endpoint), stored.name));
    } else {
      log::error("a user's endpoint cannot be used", {{"model", stored.model_name},
                                                      {"reason", endpoint.error().message},
                                                      {"detail", endpoint.error().detail}});
    }
  }
  m->id = base::ModelId{-stored.id.value};
  m->owner = stored.owner;
  m->name = std::move(stored.model_name);
  m->vendor_type = std::move(stored.vendor_type);
  m->owned_by = "user";
  m->routing_policy = std::move(stored.routing_policy);
  m->max_context_length = stored.max_context_length;
  m->max_output_tokens = stored.max_output_tokens;
  m->supports_reasoning = stored.supports_reasoning;
  m->supports_function_call = stored.supports_function_call;
  m->supports_vision = stored.supports_vision;
  m->created_ms = stored.created_at_ms;
  m->updated_ms = stored.updated_at_ms;
  return m;
}

// Gives every hybrid its children. What became a hybrid behind its parent's back is left out.
void join_children(std::span<const std::shared_ptr<Model>> models) {
  std::unordered_map<std::string_view, std::shared_ptr<const Model>> by_name;
  for (const auto& model : models) {
    if (!model->hybrid()) by_name.try_emplace(model->name, model);
  }
  for (const auto& model : models) {
    for (Child& child : model->children) {
      const auto found = by_name.find(child.name);
      if (found == by_name.end()) continue;
      const bool seen = !found->second->owner || found->second->owner == model->owner;
      if (seen) child.model = found->second;
    }
  }
}

// Before anybody can be charged by them.
Result<void> note_prices(sql::Database& database, std::span<const std::shared_ptr<Model>> models) {
  std::vector<governance::snapshots::Listed> lists;
  for (const auto& model : models) {
    if (model->price.known()) lists.push_back({&model->price.tiers, model->updated_ms});
  }
  return governance::snapshots::ensure(database, lists);
}

}  // namespace

bool Model::sold() const {
  return price.known() || std::ranges::any_of(children, [](const Child& child) {
           return child.model && child.model->price.known();
         });
}

Catalog::Catalog(Models models, std::vector<std::shared_ptr<const Endpoint>> endpoints,
                 uint64_t version)
    : endpoints_(std::move(endpoints)), version_(version) {
  std::ranges::sort(endpoints_, {}, [](const auto& e) { return e->id; });
  by_name_.reserve(models.size());
  for (auto& model : models) {
    by_name_.try_emplace(model->name, model.get());
    Models& list = model->owner ? own_[model->owner] : models_;
    list.push_back(std::move(model));
  }
}

const Model* Catalog::find(std::string_view name, base::UserId caller) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  const Model* model = found->second;
  return !model->owner || model->owner == caller ? model : nullptr;
}

const Catalog::Models& Catalog::models_of(base::UserId user) const {
  static const Models kNone;
  const auto found = own_.find(user);
  return found == own_.end() ? kNone : found->second;
}

const Endpoint* Catalog::find_endpoint(base::EndpointId id) const {
  const auto found =
      std::ranges::lower_bound(endpoints_, id, {}, [](const auto& e) { return e->id; });
  return found == endpoints_.end() || (*found)->id != id ? nullptr : found->get();
}

std::shared_ptr<const Catalog> CatalogDirectory::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

Result<void> CatalogDirectory::reload(sql::Database& database, const crypto::Sealer& sealer) {
  std::vector<endpoints::StoredEndpoint> stored_endpoints;
  std::vector<models::StoredModel> stored_models;
  std::vector<custom::StoredCustom> stored_custom;
  {
    DP_TRY(auto reader, database.read());
    DP_TRY(stored_endpoints, endpoints::load_enabled(reader));
    DP_TRY(stored_models, models::load_enabled(reader));
    DP_TRY(stored_custom, custom::load_enabled(reader));
  }
  const auto before = current();
  const EndpointsById by_id = open_all(stored_endpoints, sealer, *before);
  std::vector<std::shared_ptr<Model>> built;
  built.reserve(stored_models.size() + stored_custom.size());
  for (models::StoredModel& stored : stored_models) {
    built.push_back(build_model(std::move(stored), by_id, *before));
  }
  for (custom::StoredCustom& stored : stored_custom) {
    built.push_back(build_custom(std::move(stored), sealer, *before));
  }
  join_children(built);
  DP_CHECK(note_prices(database, built));
  std::vector<std::shared_ptr<const Endpoint>> opened;
  opened.reserve(by_id.size());
  for (const auto& [id, endpoint] : by_id) opened.push_back(endpoint);
  auto fresh = std::make_shared<const Catalog>(
      std::vector<std::shared_ptr<const Model>>(built.begin(), built.end()), std::move(opened),
      before->version() + 1);
  const std::scoped_lock lock(mutex_);
  current_.swap(fresh);  // the old one dies after the lock, if nobody holds it
  return {};
}

}  // namespace deeppool::provider
