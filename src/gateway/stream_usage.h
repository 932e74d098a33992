// StreamUsage: what an open stream has used until now, and what that costs. Owned by the stream's
// relay, on its loop. The upstream's own count goes before ours, unless more was generated since;
// ours is made when it is needed, which for most streams is never.
#pragma once

#include "gateway/attempts.h"
#include "gateway/call.h"
#include "gateway/finish.h"

namespace deeppool::gateway {

class StreamUsage {
 public:
  // Both outlive it.
  StreamUsage(Call& call, OpenStream& stream) : call_(call), stream_(stream) {}

  llm::Usage so_far();
  // Of it, what is covered by the hold.
  llm::Usage held();
  // Generated tokens, cheap and rough.
  int64_t output() const;
  // Ending with `usage`, priced.
  Ending ending(llm::Usage usage) const;

  // Counts the prompt while the request's body is there; needed before that is given back.
  int64_t prompt_tokens();
  // Another upstream goes on, perhaps with another tokenizer.
  void went_elsewhere() { prompt_tokens_ = -1; }

 private:
  llm::Usage of_all_sides(llm::Usage usage) const;

  Call& call_;
  OpenStream& stream_;
  int64_t prompt_tokens_ = -1;  // by the answering endpoint's tokenizer; not counted yet
};

}  // namespace deeppool::gateway
