// BytePairs: how many tokens byte-pair merging leaves of one piece: always the pair of lowest rank
// first, the leftmost among equals. O(n log n) for any piece. Scratch memory is kept between pieces
// of one text; made on the stack of one count.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "llm/tokenizer/rank_table.h"

namespace deeppool::llm {

class BytePairs {
 public:
  explicit BytePairs(const RankTable& ranks) : ranks_(ranks) {}

  // `piece` is not empty and at most kMaxPieceBytes long.
  int64_t count(std::string_view piece);

 private:
  struct Part {
    uint32_t end;       // in the piece, exclusive; its start is its index
    uint32_t previous;  // index of the part before it
    uint32_t rank;      // of it merged with the part behind it; kNone if that is no token
  };

  void consider(std::string_view piece, uint32_t start);

  const RankTable& ranks_;
  std::vector<Part> parts_;
  std::vector<uint64_t> heap_;  // rank << 32 | start; stale entries are skipped when popped
};

}  // namespace deeppool::llm
