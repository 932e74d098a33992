// Hedge: a stream's first candidate is asked, and when it has said nothing for the model's
// hedge_after_ms, the next one as well. The first that answers is relayed, the other is cancelled
// at once. On the call's loop; costs nothing where a model is not hedged.
#pragma once

#include <memory>

#include "gateway/attempts.h"
#include "gateway/candidates.h"

namespace deeppool::gateway {

// Null when all that were asked have failed; `candidates` knows how, and says who is next.
DP_OWN_FRAME Task<std::unique_ptr<OpenStream>> open_hedged(Call& call, Candidates& candidates,
                                                           Candidates::Chosen first);

}  // namespace deeppool::gateway
