// What a call may cost, and the hold over it: a bound on its tokens and their price, set aside in
// the key's quota, the user's free grants and the wallet before anything leaves for an upstream,
// and grown while an answer without a bound streams. Invariant: a limited request is never
// dispatched without a hold over all that it may take.
#pragma once

#include "gateway/call.h"

namespace deeppool::gateway {

// Sets aside what the call may take; never waits. not_yet: await_funds(). A caller who can pay is
// held for the most that it can be, one who cannot for what it most likely is, and for shorter
// answers where their length is ours to set. Errors:
// insufficient_quota, unavailable.
Result<governance::Covered> hold_funds(Call& call);
DP_OWN_FRAME Task<Result<void>> await_funds(Call& call);

// Whether `output` tokens of all choices come near the end of the hold.
bool outgrows_hold(const Call& call, int64_t output);
// Grows it, in doubling steps as long as the funds allow. Errors as above: it is as it was.
DP_OWN_FRAME Task<Result<void>> grow_hold(Call& call, int64_t output);

}  // namespace deeppool::gateway
