// Toxics: what the gate does to the bytes, changed by one-line commands while connections are open.
// Touched on the gate's loop only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::chaos {

// One direction. 0 means off everywhere.
struct Flow {
  int64_t delay_ms = 0;
  int64_t bandwidth = 0;  // bytes per second
  int64_t slice = 0;      // bytes per write
  int64_t corrupt_every = 0;
  int64_t stop = 0;
  int64_t swallow = 0;
  int64_t cut_after = 0;  // bytes of a connection in this direction
};

struct Toxics {
  Flow up;  // from the client to the server
  Flow down;
  int64_t refuse = 0;

  // `name=value` as the README lists. Errors: invalid_request that names what is wrong.
  Result<void> set(std::string_view assignment);
};

// Flips the lowest bit of every `every`-th byte of the flow; `position` counts over its pieces.
void corrupt(std::string& bytes, int64_t every, int64_t position);

}  // namespace deeppool::chaos
