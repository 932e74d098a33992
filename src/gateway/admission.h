// The stages before anything leaves for an upstream, each a straight line: who calls, what is
// asked, may it.
#pragma once

#include "gateway/call.h"

namespace deeppool::gateway {

// For ServerHooks::may_send_body.
Result<void> check_key(const Parts& parts, const http::Exchange& x);

// Each fills its part of the call or says why not.
Result<void> identify(Call& call);     // the API key
Result<void> understand(Call& call);   // the body; the model, if this key may use it
Result<void> find_model(Call& call);   // the one that the view names; a part of understand()
Result<void> permit_rate(Call& call);  // requests and tokens per minute
// The same when limits are shared: waits for Redis where what we hold of the key does not cover it.
Task<Result<void>> permit_shared_rate(Call& call);
Result<void> limit_inflight(Call& call);  // requests at once
// Whether new billable work can be recorded at all.
Result<void> check_spool(Call& call);
// Plans who is asked, in which order. Never fails: a plan may be empty.
void route(Call& call);
// Writes the hold record: from here on the call ends with a final record.
Result<void> record_hold(Call& call);

// x-ratelimit-*, for successes and refusals.
void add_rate_headers(http::Exchange& x, const ratelimit::Snapshot& snapshot);

Error no_such_model(const std::string& name);

}  // namespace deeppool::gateway
