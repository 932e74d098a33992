#include "llm/tokenizer/text_tally.h"

#include "json/reader.h"
#include "llm/limits.h"

namespace deeppool::llm {

void TextTally::append(std::string_view text) {
  bytes_ += static_cast<int64_t>(text.size());
  while (!text.empty()) {
    const size_t room = kMaxPendingTallyBytes - pending_.size();
    pending_.append(text.substr(0, room));
    text.remove_prefix(std::min(room, text.size()));
    if (pending_.size() == kMaxPendingTallyBytes) settle();
  }
}

void TextTally::append_json(std::string_view raw) {
  if (raw.find('\\') == std::string_view::npos) {
    append(raw);
    return;
  }
  const size_t before = pending_.size();
  json::append_unescaped(pending_, raw);
  bytes_ += static_cast<int64_t>(pending_.size() - before);
  if (pending_.size() >= kMaxPendingTallyBytes) settle();
}

// Counts what no later text can change. One endless word is cut where it stands: its count may be
// one token too high, its memory is bounded.
void TextTally::settle() {
  size_t consumed = 0;
  settled_tokens_ += tokenizer_->count_settled(pending_, consumed);
  if (pending_.size() - consumed > kMaxPendingTallyBytes / 2) {
    settled_tokens_ += tokenizer_->count(std::string_view(pending_).substr(consumed));
    consumed = pending_.size();
  }
  pending_.erase(0, consumed);
}

int64_t TextTally::tokens() const {
  return settled_tokens_ + tokenizer_->count(pending_);
}

int64_t TextTally::estimated_tokens() const {
  const auto pending = static_cast<int64_t>(pending_.size());
  return settled_tokens_ + (pending + kCharsPerToken - 1) / kCharsPerToken;
}

}  // namespace deeppool::llm
