// The bounds of the spool, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeppool::governance {

// A segment is closed at this size: small enough to delete often, large enough (about 250,000
// records) that opening one on an event loop does not show.
inline constexpr uint64_t kSegmentBytes = 64ull << 20;
// The largest frame on disk. Longest texts below, and as much again for later versions.
inline constexpr size_t kMaxFrameBytes = 4096;
// Texts in records; longer ones are cut. They fit the columns of usage_records.
inline constexpr size_t kMaxModelBytes = 191;
inline constexpr size_t kMaxErrorCodeBytes = 64;
inline constexpr size_t kMaxUpstreamIdBytes = 128;
// Allocated ahead, given back when the disk is full: the final records of 50,000 requests in
// flight.
inline constexpr uint64_t kReserveBytes = 16ull << 20;
// Below this much free space (the reserve not counted) no new billable work is accepted.
inline constexpr uint64_t kMinFreeBytes = 8ull << 20;
// Records that could not be written wait in memory up to here: 10,000 requests on a dead disk.
inline constexpr size_t kParkedBytes = 8u << 20;
// How much a reader looks at in one piece.
inline constexpr size_t kReadBytes = 1u << 20;
// Records of one turn of an event loop that are written together.
inline constexpr size_t kStagedBytes = 64u << 10;
// Segment numbers of one run: number = run x this + counter.
inline constexpr int64_t kSegmentsPerRun = 1'000'000;

}  // namespace deeppool::governance
