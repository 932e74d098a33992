// Router: turns a request for a model into a Plan. Routes is one catalog with the policies of its
// hybrids compiled, immutable and shared by all loops; Router holds the current one, swapped whole
// when the catalog is reloaded, so that an edited policy is in force when its edit is. One Router
// per process, owned by services, safe on every thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/random.h"
#include "llm/openai/request.h"
#include "provider/catalog.h"
#include "routing/plan.h"
#include "routing/policy.h"

namespace deeppool::routing {

struct Asking {
  const provider::Model& model;  // of the Routes' catalog
  const llm::RequestView& view;
  std::string_view body;  // that `view` was made of; may be empty, then cache_affinity is blind
  base::Instant now;
};

// What becomes of a hybrid that is not to be routed by the policy it has.
struct Hybrid {
  Policy policy;
  std::string fault;  // why the stored policy is not in force; empty if it is
  std::shared_ptr<std::atomic<uint64_t>> turn;  // of its plans; survives reloads
};

class Routes {
 public:
  using Hybrids = std::unordered_map<const provider::Model*, Hybrid>;
  Routes(std::shared_ptr<const provider::Catalog> catalog, Hybrids hybrids)
      : catalog_(std::move(catalog)), hybrids_(std::move(hybrids)) {}

  const std::shared_ptr<const provider::Catalog>& catalog() const { return catalog_; }
  // Null for a model that is no hybrid.
  const Hybrid* hybrid(const provider::Model& model) const;
  // Never fails; without candidates there is nobody to ask.
  Plan plan(const Asking& asking, base::Random& random) const;

 private:
  std::shared_ptr<const provider::Catalog> catalog_;
  Hybrids hybrids_;
};

class Router {
 public:
  // `default_policy`: YAML for hybrids without one of their own; empty: least-inflight over all
  // children. It was checked by check_default_policy().
  explicit Router(std::string default_policy = {});

  // Never null; without models before the first rebuild.
  std::shared_ptr<const Routes> current() const;
  // Compiles; called by the config refresh only. A hybrid whose stored policy is broken (it was
  // valid for other children once) gets the default one, and the log says so.
  void rebuild(std::shared_ptr<const provider::Catalog> catalog);

 private:
  Hybrid compile(const provider::Model& model);

  std::string default_policy_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Routes> current_;
  std::unordered_map<base::ModelId, std::shared_ptr<std::atomic<uint64_t>>> turns_;
};

// invalid_request with all faults of a policy that is for hybrids of any children.
Result<void> check_default_policy(std::string_view yaml);

}  // namespace deeppool::routing
