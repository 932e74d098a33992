// The three records of a request's life in the spool, and their bytes.
// Plain values; texts are views, owned by the caller when encoding and by the read buffer when
// decoding. Frame, little-endian: u16 mark, u8 kind, u8 version, u32 payload bytes, u32 CRC-32C of
// the segment's salt, those eight bytes and the payload; then the payload. A later version of a
// kind only appends fields, so that either program reads the other's records. Version 2 added what
// is money: prices, holds and charges; version 3 the model that served, version 4 that of progress,
// too.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "base/money.h"
#include "governance/grant_parts.h"
#include "governance/spool/limits.h"
#include "llm/usage.h"

namespace deeppool::governance {

// Numbers are on disk: never change or reuse one.
enum class Api : uint8_t {
  chat_completions = 1,
  completions = 2,
  embeddings = 3,
  responses = 4,
  messages = 5
};
enum class ModelSource : uint8_t { provider = 1, deepnode = 2 };
enum class Outcome : uint8_t {
  completed = 1,
  client_aborted = 2,            // the caller went away; pays for what was generated
  failed_before_first_byte = 3,  // no attempt brought an answer
  broke_midstream = 4,           // bytes were relayed, then the upstream died
  stopped_at_limit = 5,          // the hold could not grow: ended with finish_reason "length"
  rejected = 6,                  // refused by us after the hold
  crash_settled = 7,             // a hold that outlived its process; charged by its last progress
};
// The enumerator's name, as rows store it.
std::string_view to_string(Api api);
std::string_view to_string(ModelSource source);
std::string_view to_string(Outcome outcome);

// What a request is charged, computed once by the gateway; nobody computes it again to post it.
struct Bill {
  base::PriceId price;       // 0: none, of a record of version 1
  base::Money charged;       // from the wallet; not negative
  int64_t discount_ppm = 0;  // parts per million that were taken off
  GrantParts grants;         // free tokens that were used
  friend bool operator==(const Bill&, const Bill&) = default;
};

// Written before dispatch.
struct HoldRecord {
  base::RequestId request_id;
  base::UserId user;
  base::ApiKeyId key;
  std::string_view model;  // as the caller named it
  Api api = Api::chat_completions;
  ModelSource source = ModelSource::provider;
  bool stream = false;
  int64_t started_at_ms = 0;  // unix, UTC
  int64_t held_tokens = 0;
  bool quota_leased = false;  // they are held in this instance's lease of the key's quota
  base::PriceId price{};      // of the first candidate
  base::Money held_money{};   // in its lease of the wallet
};

// Every 2 s or 1,000 tokens of a stream: what would be charged if the process died now.
struct ProgressRecord {
  base::RequestId request_id;
  base::EndpointId endpoint;
  llm::Usage usage;
  int64_t duration_ms = 0;
  Bill bill{};
  std::string_view served_model{};  // as in FinalRecord
};

// The bill. On disk before the bytes that tell the caller it is complete. `usage` is what is
// charged (zeros where the outcome is free).
struct FinalRecord {
  base::RequestId request_id;
  base::UserId user;
  base::ApiKeyId key;
  base::EndpointId endpoint;  // 0: none answered
  std::string_view model;
  Api api = Api::chat_completions;
  ModelSource source = ModelSource::provider;
  Outcome outcome = Outcome::completed;
  bool stream = false;
  int status = 0;  // HTTP, as answered to the caller
  int64_t started_at_ms = 0;
  int64_t duration_ms = 0;
  int64_t first_token_ms = -1;  // after started_at; -1: none came
  llm::Usage usage;
  int attempts = 0;
  std::string_view error_code;  // base::to_string(ErrorCode), empty if none
  std::string_view upstream_request_id;
  Bill bill{};
  bool quota_leased = false;        // as the hold record said
  bool deviates = false;            // the upstream's token counts are far from our own
  std::string_view served_model{};  // the child of a hybrid that answered; empty: `model` itself
};

using Record = std::variant<HoldRecord, ProgressRecord, FinalRecord>;
using FrameBuffer = std::array<char, kMaxFrameBytes>;

// The frame's bytes, inside `buffer`, still without checksum. No allocation.
std::span<char> encode(const HoldRecord& record, FrameBuffer& buffer);
std::span<char> encode(const ProgressRecord& record, FrameBuffer& buffer);
std::span<char> encode(const FinalRecord& record, FrameBuffer& buffer);
// Sets the checksum for the segment with this salt (segment.h). The salt keeps bytes that only look
// like a frame (inside a foreign id, in a recycled disk block) from ever being one.
void stamp(std::span<char> frame, uint32_t salt);

// Finds frames in a run of bytes. Damaged stretches are stepped over when a sound frame follows;
// bytes at the end that are no frame are left alone: they may be one whose rest is still to come.
class FrameScanner {
 public:
  FrameScanner(std::string_view bytes, uint32_t salt) : bytes_(bytes), salt_(salt) {}
  // The next record, in order; nothing when none is left. Views into the bytes given.
  std::optional<Record> next();
  // Where the bytes begin that were not consumed.
  size_t offset() const { return offset_; }
  // Bytes stepped over because they were damaged, and sound frames of an unknown kind.
  size_t damaged_bytes() const { return damaged_bytes_; }
  size_t unknown_frames() const { return unknown_frames_; }

 private:
  size_t find_frame(size_t from) const;

  std::string_view bytes_;
  uint32_t salt_;
  size_t offset_ = 0;
  size_t damaged_bytes_ = 0;
  size_t unknown_frames_ = 0;
};

}  // namespace deeppool::governance
