#include "llm/tokenizer/byte_pairs.h"

#include <algorithm>
#include <functional>

namespace deeppool::llm {

// Looks up what the part at `start` and its neighbour to the right would make.
void BytePairs::consider(std::string_view piece, uint32_t start) {
  Part& part = parts_[start];
  part.rank = RankTable::kNone;
  if (part.end == piece.size()) return;
  const uint32_t end = parts_[part.end].end;
  part.rank = ranks_.rank(piece.substr(start, end - start));
  if (part.rank == RankTable::kNone) return;
  heap_.push_back(uint64_t{part.rank} << 32 | start);
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
}

int64_t BytePairs::count(std::string_view piece) {
  const auto size = static_cast<uint32_t>(piece.size());
  parts_.resize(size);
  heap_.clear();
  for (uint32_t i = 0; i < size; ++i) parts_[i] = {i + 1, i - 1, RankTable::kNone};
  for (uint32_t i = 0; i < size; ++i) consider(piece, i);
  int64_t tokens = size;
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    const auto start = static_cast<uint32_t>(heap_.back());
    const auto rank = static_cast<uint32_t>(heap_.back() >> 32);
    heap_.pop_back();
    if (parts_[start].rank != rank) continue;
    const uint32_t absorbed = parts_[start].end;
    parts_[start].end = parts_[absorbed].end;
    parts_[absorbed].rank = RankTable::kNone;
    if (parts_[start].end < size) parts_[parts_[start].end].previous = start;
    --tokens;
    consider(piece, start);
    if (start > 0) consider(piece, parts_[start].previous);
  }
  return tokens;
}

}  // namespace deeppool::llm
