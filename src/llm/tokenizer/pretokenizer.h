// PreTokenizer: cuts a text into the pieces within which byte pairs may merge, by the patterns of
// cl100k_base and o200k_base (tiktoken 0.14, tiktoken_ext/openai_public.py) written out as a
// scanner. A view over one text, on the stack of one count. Invariant: the pieces are the text,
// none is empty.
#pragma once

#include <cstddef>
#include <string_view>

#include "llm/tokenizer/rank_table.h"

namespace deeppool::llm {

class PreTokenizer {
 public:
  PreTokenizer(const RankTable& table, std::string_view text) : table_(table), text_(text) {}

  // The next piece; empty at the end.
  std::string_view next();
  size_t position() const { return position_; }

 private:
  struct Char {
    size_t size;   // bytes; 0 at the end of the text
    uint8_t bits;  // its class
    char ascii;    // itself if ASCII, else 0
  };

  Char at(size_t offset) const;
  // The end of the run of characters of these classes that starts at `offset`.
  size_t run(size_t offset, uint8_t bits) const;
  size_t cl100k_end(size_t begin) const;
  size_t o200k_end(size_t begin) const;
  size_t word_end(size_t begin) const;
  size_t cased_word_end(size_t begin) const;
  size_t mixed_case_end(size_t begin) const;
  size_t contraction_end(size_t offset) const;
  size_t numbers_end(size_t begin) const;
  size_t symbols_end(size_t begin) const;
  size_t spaces_end(size_t begin) const;

  const RankTable& table_;
  std::string_view text_;
  size_t position_ = 0;
};

}  // namespace deeppool::llm
