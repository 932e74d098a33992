#include "governance/spool/record.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "governance/spool/crc32c.h"

namespace deeppool::governance {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are copied as they are");

constexpr uint16_t kMark = 0xD59A;
constexpr size_t kFrameHeader = 12;
constexpr size_t kMaxPayload = kMaxFrameBytes - kFrameHeader;
enum Kind : uint8_t { kHold = 'H', kProgress = 'P', kFinal = 'F' };
constexpr uint8_t kVersion = 4;

class Encoder {
 public:
  Encoder(FrameBuffer& buffer, Kind kind) : buffer_(buffer) {
    put(kMark);
    put(kind);
    put(kVersion);
    put(uint32_t{0});
    put(uint32_t{0});
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(T value) {
    std::memcpy(buffer_.data() + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  void put_text(std::string_view text, size_t limit) {
    const std::string_view cut = text.substr(0, limit);
    put(static_cast<uint16_t>(cut.size()));
    std::copy(cut.begin(), cut.end(), buffer_.data() + size_);
    size_ += cut.size();
  }
  std::span<char> finish() {
    const auto length = static_cast<uint32_t>(size_ - kFrameHeader);
    std::memcpy(buffer_.data() + 4, &length, sizeof length);
    return {buffer_.data(), size_};
  }

 private:
  FrameBuffer& buffer_;
  size_t size_ = 0;
};

class Decoder {
 public:
  Decoder(std::string_view payload, uint8_t version) : rest_(payload), version_(version) {}
  // Whether the record has the fields that version 2 appended.
  bool has_money() const { return version_ >= 2; }
  bool has_served_model() const { return version_ >= 3; }
  bool has_server_of_progress() const { return version_ >= 4; }
  template <class T>
  void get(T& value) {
    if (rest_.size() < sizeof value) {
      ok_ = false;
      return;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
  }
  // Not every byte is a bool or an enumerator: those are read by value.
  void get(bool& value) { value = get_as<uint8_t>() != 0; }
  template <class Int>
  Int get_as() {
    Int value{};
    get(value);
    return value;
  }
  template <class Enum>
  void get_enum(Enum& value, Enum last) {
    const auto raw = get_as<uint8_t>();
    if (raw < 1 || raw > static_cast<uint8_t>(last))
      ok_ = false;
    else
      value = static_cast<Enum>(raw);
  }
  void get_text(std::string_view& text) {
    const auto size = get_as<uint16_t>();
    if (rest_.size() < size) {
      ok_ = false;
      return;
    }
    text = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }
  void fail() { ok_ = false; }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  uint8_t version_;
  bool ok_ = true;
};

void put_usage(Encoder& out, const llm::Usage& usage) {
  out.put(usage.prompt_tokens);
  out.put(usage.completion_tokens);
  out.put(usage.cached_tokens);
  out.put(usage.cache_write_tokens);
  out.put(usage.reasoning_tokens);
  out.put(usage.source);
}

void get_usage(Decoder& in, llm::Usage& usage) {
  in.get(usage.prompt_tokens);
  in.get(usage.completion_tokens);
  in.get(usage.cached_tokens);
  in.get(usage.cache_write_tokens);
  in.get(usage.reasoning_tokens);
  usage.source =
      in.get_as<uint8_t>() == 0 ? llm::Usage::Source::upstream : llm::Usage::Source::estimated;
}

// What version 2 says after a usage and of its price; the usage's own place was taken by then.
void put_money(Encoder& out, const llm::Usage& usage, const Bill& bill) {
  out.put(usage.image_input_tokens);
  out.put(usage.audio_input_tokens);
  out.put(usage.image_output_tokens);
  out.put(usage.audio_output_tokens);
  out.put(bill.price.value);
  out.put(bill.charged.units());
  out.put(bill.discount_ppm);
  out.put(static_cast<uint8_t>(bill.grants.list().size()));
  for (const GrantPart& part : bill.grants.list()) {
    out.put(part.grant.value);
    out.put(part.tokens);
  }
}

void get_money(Decoder& in, llm::Usage& usage, Bill& bill) {
  in.get(usage.image_input_tokens);
  in.get(usage.audio_input_tokens);
  in.get(usage.image_output_tokens);
  in.get(usage.audio_output_tokens);
  in.get(bill.price.value);
  bill.charged = base::Money::units(in.get_as<int64_t>());
  in.get(bill.discount_ppm);
  const auto parts = in.get_as<uint8_t>();
  if (parts > kMaxGrantParts) return in.fail();
  for (uint8_t i = 0; i < parts; ++i) {
    GrantPart part;
    in.get(part.grant.value);
    in.get(part.tokens);
    bill.grants.add(part);
  }
}

std::optional<Record> decode_hold(Decoder in) {
  HoldRecord r;
  in.get(r.request_id.bytes);
  in.get(r.user.value);
  in.get(r.key.value);
  in.get_text(r.model);
  in.get_enum(r.api, Api::messages);
  in.get_enum(r.source, ModelSource::deepnode);
  in.get(r.stream);
  in.get(r.started_at_ms);
  in.get(r.held_tokens);
  if (in.has_money()) {
    in.get(r.quota_leased);
    in.get(r.price.value);
    r.held_money = base::Money::units(in.get_as<int64_t>());
  }
  return in.ok() ? std::optional<Record>(r) : std::nullopt;
}

std::optional<Record> decode_progress(Decoder in) {
  ProgressRecord r;
  in.get(r.request_id.bytes);
  in.get(r.endpoint.value);
  get_usage(in, r.usage);
  in.get(r.duration_ms);
  if (in.has_money()) get_money(in, r.usage, r.bill);
  if (in.has_server_of_progress()) in.get_text(r.served_model);
  return in.ok() ? std::optional<Record>(r) : std::nullopt;
}

std::optional<Record> decode_final(Decoder in) {
  FinalRecord r;
  in.get(r.request_id.bytes);
  in.get(r.user.value);
  in.get(r.key.value);
  in.get(r.endpoint.value);
  in.get_text(r.model);
  in.get_enum(r.api, Api::messages);
  in.get_enum(r.source, ModelSource::deepnode);
  in.get_enum(r.outcome, Outcome::crash_settled);
  in.get(r.stream);
  r.status = in.get_as<uint16_t>();
  in.get(r.started_at_ms);
  in.get(r.duration_ms);
  in.get(r.first_token_ms);
  get_usage(in, r.usage);
  r.attempts = in.get_as<uint16_t>();
  in.get_text(r.error_code);
  in.get_text(r.upstream_request_id);
  if (in.has_money()) {
    get_money(in, r.usage, r.bill);
    in.get(r.quota_leased);
    in.get(r.deviates);
  }
  if (in.has_served_model()) in.get_text(r.served_model);
  return in.ok() ? std::optional<Record>(r) : std::nullopt;
}

struct Frame {
  uint8_t kind = 0;
  uint8_t version = 0;
  std::string_view payload;
  size_t size = 0;
};

uint32_t checksum(std::string_view head, std::string_view payload, uint32_t salt) {
  return crc32c(payload, crc32c(head.substr(0, 8), salt));
}

// The frame that begins at `bytes`, if a whole and sound one does.
std::optional<Frame> frame_at(std::string_view bytes, uint32_t salt) {
  if (bytes.size() < kFrameHeader) return std::nullopt;
  uint16_t mark = 0;
  uint32_t length = 0;
  uint32_t crc = 0;
  std::memcpy(&mark, bytes.data(), sizeof mark);
  std::memcpy(&length, bytes.data() + 4, sizeof length);
  std::memcpy(&crc, bytes.data() + 8, sizeof crc);
  if (mark != kMark || length > kMaxPayload) return std::nullopt;
  if (bytes.size() - kFrameHeader < length) return std::nullopt;
  const std::string_view payload = bytes.substr(kFrameHeader, length);
  if (checksum(bytes, payload, salt) != crc) return std::nullopt;
  return Frame{static_cast<uint8_t>(bytes[2]), static_cast<uint8_t>(bytes[3]), payload,
               kFrameHeader + length};
}

std::optional<Record> decode(const Frame& frame) {
  const Decoder in(frame.payload, frame.version);
  switch (frame.kind) {
    case kHold:
      return decode_hold(in);
    case kProgress:
      return decode_progress(in);
    case kFinal:
      return decode_final(in);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view to_string(Api api) {
  switch (api) {
    case Api::chat_completions:
      return "chat_completions";
    case Api::completions:
      return "completions";
    case Api::embeddings:
      return "embeddings";
    case Api::responses:
      return "responses";
    case Api::messages:
      return "messages";
  }
  return "unknown";
}

std::string_view to_string(ModelSource source) {
  switch (source) {
    case ModelSource::provider:
      return "provider";
    case ModelSource::deepnode:
      return "deepnode";
  }
  return "unknown";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::completed:
      return "completed";
    case Outcome::client_aborted:
      return "client_aborted";
    case Outcome::failed_before_first_byte:
      return "failed_before_first_byte";
    case Outcome::broke_midstream:
      return "broke_midstream";
    case Outcome::stopped_at_limit:
      return "stopped_at_limit";
    case Outcome::rejected:
      return "rejected";
    case Outcome::crash_settled:
      return "crash_settled";
  }
  return "unknown";
}

std::span<char> encode(const HoldRecord& r, FrameBuffer& buffer) {
  Encoder out(buffer, kHold);
  out.put(r.request_id.bytes);
  out.put(r.user.value);
  out.put(r.key.value);
  out.put_text(r.model, kMaxModelBytes);
  out.put(r.api);
  out.put(r.source);
  out.put(r.stream);
  out.put(r.started_at_ms);
  out.put(r.held_tokens);
  out.put(r.quota_leased);
  out.put(r.price.value);
  out.put(r.held_money.units());
  return out.finish();
}

std::span<char> encode(const ProgressRecord& r, FrameBuffer& buffer) {
  Encoder out(buffer, kProgress);
  out.put(r.request_id.bytes);
  out.put(r.endpoint.value);
  put_usage(out, r.usage);
  out.put(r.duration_ms);
  put_money(out, r.usage, r.bill);
  out.put_text(r.served_model, kMaxModelBytes);
  return out.finish();
}

std::span<char> encode(const FinalRecord& r, FrameBuffer& buffer) {
  Encoder out(buffer, kFinal);
  out.put(r.request_id.bytes);
  out.put(r.user.value);
  out.put(r.key.value);
  out.put(r.endpoint.value);
  out.put_text(r.model, kMaxModelBytes);
  out.put(r.api);
  out.put(r.source);
  out.put(r.outcome);
  out.put(r.stream);
  out.put(static_cast<uint16_t>(r.status));
  out.put(r.started_at_ms);
  out.put(r.duration_ms);
  out.put(r.first_token_ms);
  put_usage(out, r.usage);
  out.put(static_cast<uint16_t>(r.attempts));
  out.put_text(r.error_code, kMaxErrorCodeBytes);
  out.put_text(r.upstream_request_id, kMaxUpstreamIdBytes);
  put_money(out, r.usage, r.bill);
  out.put(r.quota_leased);
  out.put(r.deviates);
  out.put_text(r.served_model, kMaxModelBytes);
  return out.finish();
}

void stamp(std::span<char> frame, uint32_t salt) {
  const std::string_view bytes(frame.data(), frame.size());
  const uint32_t crc = checksum(bytes, bytes.substr(kFrameHeader), salt);
  std::memcpy(frame.data() + 8, &crc, sizeof crc);
}

std::optional<Record> FrameScanner::next() {
  while (offset_ < bytes_.size()) {
    const size_t at = find_frame(offset_);
    if (at == bytes_.size()) return std::nullopt;
    const auto frame = frame_at(bytes_.substr(at), salt_);
    damaged_bytes_ += at - offset_;
    offset_ = at + frame->size;
    if (auto record = decode(*frame)) return record;
    ++unknown_frames_;
  }
  return std::nullopt;
}

size_t FrameScanner::find_frame(size_t from) const {
  constexpr char kFirst = static_cast<char>(kMark & 0xff);
  for (size_t at = from; at < bytes_.size(); ++at) {
    if (frame_at(bytes_.substr(at), salt_)) return at;
    at = std::min(bytes_.find(kFirst, at + 1), bytes_.size()) - 1;
  }
  return bytes_.size();
}

}  // namespace deeppool::governance
