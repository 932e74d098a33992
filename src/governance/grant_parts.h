// The free token grants that a request uses, in the order in which they are used: held by funds,
// written in the spool's records, taken off by the applier. Plain values without allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/ids.h"
#include "governance/limits.h"

namespace deeppool::governance {

struct GrantPart {
  base::GrantId grant;
  int64_t tokens = 0;
  friend bool operator==(const GrantPart&, const GrantPart&) = default;
};

// At most kMaxGrantParts.
class GrantParts {
 public:
  std::span<const GrantPart> list() const { return {parts_.data(), size_}; }
  std::span<GrantPart> list() { return {parts_.data(), size_}; }
  bool full() const { return size_ == kMaxGrantParts; }
  void add(GrantPart part) { parts_[size_++] = part; }
  int64_t tokens() const {
    int64_t sum = 0;
    for (const GrantPart& part : list()) sum += part.tokens;
    return sum;
  }
  friend bool operator==(const GrantParts&, const GrantParts&) = default;

 private:
  std::array<GrantPart, kMaxGrantParts> parts_{};
  size_t size_ = 0;
};

}  // namespace deeppool::governance
