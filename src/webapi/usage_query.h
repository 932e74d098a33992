// What the query of a usage page asks for. Pure.
#pragma once

#include "governance/usage/request_log.h"
#include "governance/usage/usage_store.h"
#include "webapi/usage_views.h"

namespace deeppool::webapi {

// `from`, `to` (days), `key_id`, `model`, `source`; for administrators `user_id`. Another user's
// key has used nothing, exactly like a missing one: the filter has the user.
Result<governance::UsageFilter> usage_filter_of(const UsageViews& views, const Request& request);
Result<governance::GroupBy> group_of(const Request& request, Audience audience);

// `from`, `to` (unix ms), `key_id`, `model`, `outcome`; for administrators `user_id`.
Result<governance::RequestFilter> request_filter_of(const UsageViews& views,
                                                    const Request& request);
Result<std::optional<base::RequestId>> cursor_of(const Request& request);

}  // namespace deeppool::webapi
