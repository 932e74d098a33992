// TextTally: counts the tokens of a text that arrives in pieces, without keeping it. Text is
// gathered until kMaxPendingTallyBytes and tokenized only then or when asked, so that a stream
// whose upstream reports usage costs an append per event. One per stream, on its event loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llm/tokenizer/tokenizer.h"

namespace deeppool::llm {

class TextTally {
 public:
  // `tokenizer` must outlive the tally.
  explicit TextTally(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}

  // Plain text, JSON escapes already decoded. May end inside a UTF-8 sequence.
  void append(std::string_view text);
  // The raw inside of a valid JSON string.
  void append_json(std::string_view raw);

  // The exact count so far. Tokenizes what is pending (up to 0.3 ms), so not for every event.
  int64_t tokens() const;
  // Cheap and rough: for holds that grow while a stream runs.
  int64_t estimated_tokens() const;
  int64_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

 private:
  void settle();

  const Tokenizer* tokenizer_;
  std::string pending_;
  int64_t settled_tokens_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace deeppool::llm
