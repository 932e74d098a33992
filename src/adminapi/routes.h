// Every route of /api/v1/admin. The table is made once; what it refers to outlives it.
#pragma once

#include <functional>
#include <vector>

#include "governance/usage/usage_store.h"
#include "http/server/router.h"
#include "identity/key_directory.h"
#include "provider/catalog.h"
#include "setup/endpoint_check.h"
#include "webapi/services.h"

namespace deeppool::adminapi {

// own: no Redis. degraded: Redis is away, each instance keeps to its part.
enum class LimitsMode { own, shared, degraded };

// What only the running program knows.
struct LiveFigures {
  int64_t requests_in_flight = 0;
  int64_t connections = 0;
  LimitsMode limits = LimitsMode::own;
  int64_t instances = 1;  // that share limits
};

struct Admin {
  const webapi::Services& services;
  const identity::KeyDirectory& keys;
  const provider::CatalogDirectory& catalog;
  governance::UsageStore& usage;
  std::function<LiveFigures()> live;  // any thread
  const setup::Outside& outside;
};

std::vector<http::Route> routes(const Admin& admin);

}  // namespace deeppool::adminapi
