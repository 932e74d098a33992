// Whether an upstream's token counts can be true, judged by what passed through our hands. The
// caller is charged by the upstream's counts all the same; the final record is flagged, so that
// reconciliation finds who counts oddly. Cheap and rough on purpose: nothing is tokenized for it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "llm/openai/request.h"
#include "llm/usage.h"

namespace deeppool::gateway {

// Our own rough count of a stream's text, without and of reasoning.
struct OwnTally {
  int64_t text = 0;
  int64_t reasoning = 0;
};
// A stream: more than kTallyFactor times as many tokens as ours, or fewer than one in so many.
bool deviates(const llm::RequestView& asked, const llm::Usage& theirs, OwnTally ours);
// A whole answer, of which only the size is known: more tokens than it has bytes.
bool deviates(const llm::RequestView& asked, const llm::Usage& theirs, size_t answer_bytes);

}  // namespace deeppool::gateway
