// RankTable: one vocabulary file mapped into memory: token bytes -> rank, and the classes of
// Unicode characters that its pre-tokenisation pattern speaks of. Owned by a Tokenizer; immutable.
// The layout is described, and written, by tools/tokenizer_ranks/build.mjs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::llm {

enum class Pattern : uint32_t { cl100k = 0, o200k = 1 };

// Bits of a character's class.
inline constexpr uint8_t kUpper = 1;        // Lu, Lt
inline constexpr uint8_t kLower = 2;        // Ll
inline constexpr uint8_t kOtherLetter = 4;  // Lm, Lo
inline constexpr uint8_t kMark = 8;         // M
inline constexpr uint8_t kNumber = 16;      // N
inline constexpr uint8_t kSpace = 32;       // \s
inline constexpr uint8_t kNewline = 64;     // \r, \n
inline constexpr uint8_t kLetter = kUpper | kLower | kOtherLetter;

class RankTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Errors: unavailable. Maps the file; checks its header and bounds, not its content.
  static Result<std::unique_ptr<const RankTable>> map(const std::string& path);
  ~RankTable();
  RankTable(const RankTable&) = delete;
  RankTable& operator=(const RankTable&) = delete;

  // kNone if `bytes` is not a token.
  uint32_t rank(std::string_view bytes) const;
  Pattern pattern() const { return static_cast<Pattern>(header_->pattern); }
  // 0 for whatever is neither letter, mark, number nor space. `code_point` < 0x110000.
  uint8_t char_class(uint32_t code_point) const {
    const uint32_t block = block_of_[code_point >> 8];
    return blocks_[block << 8 | (code_point & 0xff)];
  }

 private:
  struct Header {
    char magic[8];
    uint32_t pattern;
    uint32_t slot_count;  // a power of two
    uint32_t token_count;
    uint32_t longest_token;
    uint32_t slots_at;    // Slot[slot_count]
    uint32_t offsets_at;  // uint32_t[token_count + 1], into the token bytes, by rank
    uint32_t bytes_at;
    uint32_t block_of_at;  // uint16_t[0x1100], a class block for each 256 code points
    uint32_t blocks_at;    // uint8_t[256] each
    uint32_t file_size;
  };
  struct Slot {
    uint32_t hash;
    uint32_t rank_plus_one;  // 0: empty
  };

  RankTable(const char* base, size_t size);
  bool well_formed() const;

  const char* base_;
  size_t size_;
  const Header* header_;
  const Slot* slots_ = nullptr;
  const uint32_t* offsets_ = nullptr;
  const uint16_t* block_of_ = nullptr;
  const uint8_t* blocks_ = nullptr;
};

}  // namespace deeppool::llm
