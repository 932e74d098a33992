#include "gateway/cross_check.h"

#include <algorithm>

#include "gateway/limits.h"

namespace deeppool::gateway {
namespace {

// A token of text is at least one byte. What pictures and sound cost is each provider's own affair.
bool prompt_deviates(const llm::RequestView& asked, const llm::Usage& theirs) {
  const llm::Features& f = asked.features;
  if (f.image_count > 0 || theirs.image_input_tokens > 0 || theirs.audio_input_tokens > 0) {
    return false;
  }
  const int64_t most = f.text_bytes + f.input_token_ids + asked.most_beyond_estimates();
  return theirs.prompt_tokens > most + kHiddenPromptTokens;
}

// Tokens that the upstream says came as text which the caller can read.
int64_t visible_tokens(const llm::Usage& theirs) {
  const int64_t other =
      theirs.reasoning_tokens + theirs.image_output_tokens + theirs.audio_output_tokens;
  return theirs.completion_tokens - std::min(other, theirs.completion_tokens);
}

}  // namespace

bool deviates(const llm::RequestView& asked, const llm::Usage& theirs, OwnTally ours) {
  if (theirs.source != llm::Usage::Source::upstream) return false;
  const int64_t all = ours.text + ours.reasoning;
  return visible_tokens(theirs) > all * kTallyFactor + kTallySlackTokens ||
         theirs.completion_tokens * kTallyFactor + kTallySlackTokens < ours.text ||
         prompt_deviates(asked, theirs);
}

bool deviates(const llm::RequestView& asked, const llm::Usage& theirs, size_t answer_bytes) {
  if (theirs.source != llm::Usage::Source::upstream) return false;
  return visible_tokens(theirs) > static_cast<int64_t>(answer_bytes) ||
         prompt_deviates(asked, theirs);
}

}  // namespace deeppool::gateway
