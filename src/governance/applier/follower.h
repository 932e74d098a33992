// One segment as the applier follows it: where reading stands and what of it still keeps the file.
// Owned by the Applier and used under its lock.
#pragma once

#include <cstdint>
#include <optional>

#include "governance/spool/spool.h"
#include "governance/spool/spool_reader.h"

namespace deeppool::governance {

struct Follower {
  SegmentView view;
  std::optional<SpoolReader> reader;  // none: the file is no segment, nothing to read
  int loop = 0;
  // Final records that end at or before this byte are in the store already (cursor of an earlier
  // run).
  int64_t applied_before = 0;
  int64_t open_holds = 0;   // holds in this segment whose final record has not been seen
  bool keep_aside = false;  // damaged, or holds a row that the store refused: not to be deleted

  // All that will ever be in it has been read.
  bool exhausted() const { return view.sealed && (!reader || at_end); }
  bool at_end = false;
};

}  // namespace deeppool::governance
