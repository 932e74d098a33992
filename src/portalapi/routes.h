// Every route of /api/v1 for users, and those that need no login. The table is made once; what it
// refers to outlives it.
#pragma once

#include <vector>

#include "governance/alerts/alert.h"
#include "governance/usage/usage_store.h"
#include "http/client/dialer.h"
#include "http/server/router.h"
#include "portalapi/guards.h"
#include "provider/catalog.h"
#include "routing/router.h"
#include "webapi/services.h"

namespace deeppool::portalapi {

struct Portal {
  const webapi::Services& services;
  const provider::CatalogDirectory& catalog;
  Guards& guards;
  const routing::Router& router;
  governance::UsageStore& usage;
  governance::alerts::Targets alert_targets = governance::alerts::Targets::public_only;
  http::Reach users_reach = http::Reach::public_only;  // of endpoints that users enter
};

std::vector<http::Route> routes(const Portal& portal);

}  // namespace deeppool::portalapi
