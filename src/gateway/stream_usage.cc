#include "gateway/stream_usage.h"

#include <algorithm>

#include "gateway/bill.h"
#include "gateway/cross_check.h"

namespace deeppool::gateway {

// An upstream that went on behind a prefix counts that as prompt, and only what it said itself as
// answer.
llm::Usage StreamUsage::of_all_sides(llm::Usage usage) const {
  if (call_.seams.empty() || call_.seams.back().how != llm::Continuation::How::prefix) return usage;
  const int64_t said = call_.seams.back().said_tokens;
  usage.prompt_tokens = std::max<int64_t>(0, usage.prompt_tokens - said);
  int64_t room = usage.prompt_tokens;
  for (int64_t* part : {&usage.cached_tokens, &usage.cache_write_tokens, &usage.image_input_tokens,
                        &usage.audio_input_tokens}) {
    *part = std::min(*part, room);
    room -= *part;
  }
  usage.completion_tokens += said;
  usage.source = llm::Usage::Source::estimated;
  return usage;
}

int64_t StreamUsage::prompt_tokens() {
  if (prompt_tokens_ >= 0) return prompt_tokens_;
  const llm::Tokenizer& tokenizer =
      call_.parts.tokenizers.for_model(call_.endpoint->upstream_model);
  prompt_tokens_ = call_.x.body.empty()
                       ? call_.view.reservable_prompt_tokens()
                       : llm::count_prompt_tokens(call_.api, call_.x.body, tokenizer);
  return prompt_tokens_;
}

llm::Usage StreamUsage::so_far() {
  if (stream_.chunks.usage() == nullptr) return stream_.chunks.estimated_usage(prompt_tokens());
  llm::Usage usage = of_all_sides(*stream_.chunks.usage());
  if (!stream_.chunks.wrote_behind_usage()) return usage;
  const llm::Usage ours = stream_.chunks.estimated_usage(usage.prompt_tokens);
  if (ours.completion_tokens <= usage.completion_tokens) return usage;
  usage.completion_tokens = ours.completion_tokens;
  usage.reasoning_tokens = std::max(usage.reasoning_tokens, ours.reasoning_tokens);
  usage.source = llm::Usage::Source::estimated;
  return usage;
}

llm::Usage StreamUsage::held() {
  llm::Usage usage = stream_.chunks.estimated_usage(so_far().prompt_tokens);
  usage.prompt_tokens = std::min(usage.prompt_tokens, call_.bound.prompt);
  usage.completion_tokens = std::min(usage.completion_tokens, call_.bound.output);
  usage.reasoning_tokens = std::min(usage.reasoning_tokens, usage.completion_tokens);
  return usage;
}

int64_t StreamUsage::output() const {
  return stream_.chunks.tally().estimated_tokens() +
         stream_.chunks.reasoning_tally().estimated_tokens();
}

Ending StreamUsage::ending(llm::Usage usage) const {
  Ending made;
  made.usage = usage;
  made.bill = bill_for(call_, made.usage);
  made.deviates =
      deviates(call_.view, made.usage,
               OwnTally{.text = stream_.chunks.tally().estimated_tokens(),
                        .reasoning = stream_.chunks.reasoning_tally().estimated_tokens()});
  return made;
}

}  // namespace deeppool::gateway
