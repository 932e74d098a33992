// One attempt: one candidate is asked, up to the first useful byte of its answer or its failure. On
// the call's loop. Changes nothing of the call, so that two may be under way at once; what it heard
// becomes the call's when it is chosen (attempts.cc).
#pragma once

#include "gateway/attempts.h"
#include "provider/failure.h"

namespace deeppool::gateway {

// What an attempt learns beside its answer.
struct Heard {
  std::vector<std::string> dropped;  // parameters that the endpoint was not told
  std::string request_id;            // the upstream's
};

struct Target {
  const routing::Candidate& candidate;
  async::CancelScope& scope;  // outlives what is opened
  Heard& heard;
};

// How an answer that was begun elsewhere goes on.
struct GoingOn {
  llm::Continuation::How how;
  const llm::Said& said;
  int64_t said_tokens;
};

// Why an attempt failed; null: it did not. Boxed, because it is rare and who waits for an attempt
// would have room for it all the while.
using Failed = std::unique_ptr<provider::Failure>;

// Null when `opened` is there.
Task<Failed> try_stream(Call& call, Target target, std::unique_ptr<OpenStream>& opened);
// The same stream, from another endpoint. On a failure it has ended.
DP_OWN_FRAME Task<Failed> reopen(Call& call, Target target, const GoingOn& begun,
                                 OpenStream& stream);
// Null when `fetched` is there. The call's candidate is this one.
Task<Failed> try_whole(Call& call, Target target, std::unique_ptr<WholeAnswer>& fetched);

}  // namespace deeppool::gateway
