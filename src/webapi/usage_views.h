// The usage pages, which users see of themselves and administrators of everybody: sums, groups and
// single requests, as JSON or CSV. Handlers only; the routes are portalapi's and adminapi's.
#pragma once

#include "governance/usage/usage_store.h"
#include "webapi/handler.h"
#include "webapi/usage_json.h"

namespace deeppool::webapi {

struct UsageViews {
  const Services& services;
  governance::UsageStore& usage;
  Audience audience;
};

http::Handler usage_summary(const UsageViews& views);
// `group_by`: day, model, key, source; for administrators also user.
http::Handler usage_consumption(const UsageViews& views);
// Single requests, newest first, paged by `cursor`.
http::Handler usage_requests(const UsageViews& views);

}  // namespace deeppool::webapi
