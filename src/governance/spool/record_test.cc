#include "governance/spool/record.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "governance/spool/segment.h"

namespace deeppool::governance {
namespace {

constexpr uint32_t kSalt = 0x1234;

base::RequestId request(uint8_t n) {
  base::RequestId id;
  id.bytes.fill(n);
  return id;
}

Bill sample_bill() {
  Bill bill;
  bill.price = base::PriceId{21};
  bill.charged = base::Money::units(9'876'543'210);
  bill.discount_ppm = 150'000;
  bill.grants.add({base::GrantId{31}, 40});
  bill.grants.add({base::GrantId{32}, 2});
  return bill;
}

FinalRecord sample_final() {
  FinalRecord r;
  r.request_id = request(3);
  r.user = base::UserId{11};
  r.key = base::ApiKeyId{12};
  r.endpoint = base::EndpointId{13};
  r.model = "gpt-x";
  r.api = Api::embeddings;
  r.source = ModelSource::deepnode;
  r.outcome = Outcome::broke_midstream;
  r.stream = true;
  r.status = 502;
  r.started_at_ms = 1'800'000'000'123;
  r.duration_ms = 4567;
  r.first_token_ms = 89;
  r.usage = {100, 50, 30, 5, 20, llm::Usage::Source::estimated, 6, 7, 8, 9};
  r.attempts = 3;
  r.error_code = "upstream_failed";
  r.upstream_request_id = "req_abc";
  r.bill = sample_bill();
  r.quota_leased = true;
  r.deviates = true;
  r.served_model = "gpt-x-mini";
  return r;
}

template <class T>
std::string frame_of(const T& record, uint32_t salt = kSalt) {
  FrameBuffer buffer;
  const auto frame = encode(record, buffer);
  stamp(frame, salt);
  return {frame.data(), frame.size()};
}

std::vector<std::string> reencoded(std::string_view bytes) {
  std::vector<std::string> out;
  FrameScanner scanner(bytes, kSalt);
  while (const auto record = scanner.next()) {
    out.push_back(std::visit([](const auto& r) { return frame_of(r); }, *record));
  }
  return out;
}

TEST(Record, FinalSurvivesTheRoundTrip) {
  const FinalRecord in = sample_final();
  const std::string bytes = frame_of(in);
  FrameScanner scanner(bytes, kSalt);
  const auto record = scanner.next();
  ASSERT_TRUE(record.has_value());
  const auto& out = std::get<FinalRecord>(*record);
  EXPECT_EQ(out.request_id, in.request_id);
  EXPECT_EQ(out.user, in.user);
  EXPECT_EQ(out.key, in.key);
  EXPECT_EQ(out.endpoint, in.endpoint);
  EXPECT_EQ(out.model, in.model);
  EXPECT_EQ(out.api, in.api);
  EXPECT_EQ(out.source, in.source);
  EXPECT_EQ(out.outcome, in.outcome);
  EXPECT_EQ(out.stream, in.stream);
  EXPECT_EQ(out.status, in.status);
  EXPECT_EQ(out.started_at_ms, in.started_at_ms);
  EXPECT_EQ(out.duration_ms, in.duration_ms);
  EXPECT_EQ(out.first_token_ms, in.first_token_ms);
  EXPECT_EQ(out.usage, in.usage);
  EXPECT_EQ(out.attempts, in.attempts);
  EXPECT_EQ(out.error_code, in.error_code);
  EXPECT_EQ(out.upstream_request_id, in.upstream_request_id);
  EXPECT_EQ(out.bill, in.bill);
  EXPECT_TRUE(out.quota_leased);
  EXPECT_TRUE(out.deviates);
  EXPECT_EQ(out.served_model, "gpt-x-mini");
  EXPECT_EQ(scanner.offset(), bytes.size());
  EXPECT_FALSE(scanner.next().has_value());
}

TEST(Record, HoldAndProgressSurviveTheRoundTrip) {
  const HoldRecord hold{request(1),
                        base::UserId{2},
                        base::ApiKeyId{3},
                        "m",
                        Api::completions,
                        ModelSource::provider,
                        true,
                        99,
                        1000,
                        true,
                        base::PriceId{4},
                        base::Money::units(77)};
  const ProgressRecord progress{request(1), base::EndpointId{5}, {7, 8, 1, 0, 2},
                                2000,       sample_bill(),       "gpt-x-mini"};
  const std::string bytes = frame_of(hold) + frame_of(progress);
  FrameScanner scanner(bytes, kSalt);
  const auto first = scanner.next();
  const auto& h = std::get<HoldRecord>(first.value());
  EXPECT_EQ(h.request_id, hold.request_id);
  EXPECT_EQ(h.user, hold.user);
  EXPECT_EQ(h.key, hold.key);
  EXPECT_EQ(h.model, "m");
  EXPECT_EQ(h.api, Api::completions);
  EXPECT_TRUE(h.stream);
  EXPECT_EQ(h.started_at_ms, 99);
  EXPECT_EQ(h.held_tokens, 1000);
  EXPECT_TRUE(h.quota_leased);
  EXPECT_EQ(h.price, base::PriceId{4});
  EXPECT_EQ(h.held_money, base::Money::units(77));
  const auto second = scanner.next();
  const auto& p = std::get<ProgressRecord>(second.value());
  EXPECT_EQ(p.endpoint, progress.endpoint);
  EXPECT_EQ(p.usage, progress.usage);
  EXPECT_EQ(p.duration_ms, 2000);
  EXPECT_EQ(p.bill, progress.bill);
  EXPECT_EQ(p.served_model, "gpt-x-mini");
}

TEST(Record, OverlongTextsAreCutAndTheFrameStaysSmall) {
  const std::string huge(100'000, 'x');
  FinalRecord r = sample_final();
  r.model = r.error_code = r.upstream_request_id = r.served_model = huge;
  const std::string bytes = frame_of(r);
  EXPECT_LT(bytes.size(), kMaxFrameBytes);
  FrameScanner scanner(bytes, kSalt);
  const auto record = scanner.next();
  EXPECT_EQ(std::get<FinalRecord>(record.value()).model.size(), kMaxModelBytes);
}

TEST(Record, AFrameOfAnotherSegmentIsNoFrame) {
  const std::string foreign = frame_of(sample_final(), kSalt + 1);
  FrameScanner scanner(foreign, kSalt);
  EXPECT_FALSE(scanner.next().has_value());
  EXPECT_EQ(scanner.offset(), 0u);
}

TEST(Record, AFrameInsideATextIsNeverFound) {
  FinalRecord r = sample_final();
  const std::string inner = frame_of(ProgressRecord{request(9), {}, {1, 1}, 0}, 0);
  r.upstream_request_id = inner;
  std::string bytes = frame_of(r);
  bytes[20] ^= 1;  // the outer frame is damaged: the scanner looks inside it
  FrameScanner scanner(bytes, kSalt);
  EXPECT_FALSE(scanner.next().has_value());
}

// `bytes` with another version and without its last `less` bytes, or with more behind.
std::string as_version(std::string bytes, uint8_t version, size_t less,
                       std::string_view more = "") {
  bytes.resize(bytes.size() - less);
  bytes += more;
  bytes[3] = static_cast<char>(version);
  const auto length = static_cast<uint32_t>(bytes.size() - 12);
  std::memcpy(bytes.data() + 4, &length, sizeof length);
  stamp({bytes.data(), bytes.size()}, kSalt);
  return bytes;
}

constexpr size_t kServed = 2 + 10;  // what version 3 says last: length and text

TEST(Record, ALaterVersionWithMoreFieldsIsRead) {
  const std::string bytes = as_version(frame_of(sample_final()), 5, 0, "more");
  FrameScanner scanner(bytes, kSalt);
  const auto record = scanner.next();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(std::get<FinalRecord>(*record).bill, sample_bill());
  EXPECT_EQ(scanner.offset(), bytes.size());
}

TEST(Record, VersionOneIsReadAsWithoutMoney) {
  constexpr size_t kUsage = 4 * 8;         // four classes of tokens
  constexpr size_t kBill = 8 + 8 + 8 + 1;  // price, charge, discount, number of grants
  constexpr size_t kGrants = 2 * (8 + 8);  // of sample_bill()
  constexpr size_t kNobody = 2;            // what version 4 says last of progress: no name
  const HoldRecord hold{request(1), base::UserId{2}, base::ApiKeyId{3}, "m"};
  const ProgressRecord progress{request(1), {}, {7, 8}, 2000, sample_bill()};
  const std::string bytes =
      as_version(frame_of(hold), 1, 1 + 8 + 8) +
      as_version(frame_of(progress), 1, kUsage + kBill + kGrants + kNobody) +
      as_version(frame_of(sample_final()), 1, kUsage + kBill + kGrants + 2 + kServed);
  FrameScanner scanner(bytes, kSalt);
  const auto h = std::get<HoldRecord>(scanner.next().value());
  EXPECT_EQ(h.model, "m");
  EXPECT_EQ(h.held_money, base::Money());
  const auto p = std::get<ProgressRecord>(scanner.next().value());
  EXPECT_EQ(p.duration_ms, 2000);
  EXPECT_EQ(p.bill, Bill());
  const auto f = std::get<FinalRecord>(scanner.next().value());
  EXPECT_EQ(f.upstream_request_id, "req_abc");
  EXPECT_EQ(f.usage.image_input_tokens, 0);
  EXPECT_EQ(f.bill, Bill());
  EXPECT_FALSE(f.quota_leased);
  EXPECT_FALSE(scanner.next().has_value());
  EXPECT_EQ(scanner.damaged_bytes(), 0u);
}

TEST(Record, VersionTwoIsReadAsServedByItself) {
  const std::string bytes = as_version(frame_of(sample_final()), 2, kServed);
  FrameScanner scanner(bytes, kSalt);
  const auto f = std::get<FinalRecord>(scanner.next().value());
  EXPECT_EQ(f.served_model, "");
  EXPECT_EQ(f.bill, sample_bill());
  EXPECT_TRUE(f.deviates);
}

TEST(Record, ProgressOfVersionThreeIsReadAsServedByItself) {
  const ProgressRecord progress{request(1), {}, {7, 8}, 2000, sample_bill()};
  const std::string bytes = as_version(frame_of(progress), 3, 2);
  FrameScanner scanner(bytes, kSalt);
  const auto p = std::get<ProgressRecord>(scanner.next().value());
  EXPECT_EQ(p.bill, sample_bill());
  EXPECT_EQ(p.served_model, "");
}

TEST(Record, AVersionTwoThatLacksItsMoneyIsNoRecord) {
  for (const size_t less : {1u, 2u, 30u, 60u}) {
    const std::string bytes = as_version(frame_of(sample_final()), 2, less + kServed);
    FrameScanner scanner(bytes, kSalt);
    EXPECT_FALSE(scanner.next().has_value());
    EXPECT_EQ(scanner.unknown_frames(), 1u);
  }
}

TEST(Record, MoreGrantsThanFitAreNoRecord) {
  std::string bytes = as_version(frame_of(sample_final()), 2, kServed);
  bytes[bytes.size() - 2 - 2 * 16 - 1] = kMaxGrantParts + 1;  // their number, before both of them
  bytes = as_version(bytes + std::string(200, '\0'), 2, 0);
  FrameScanner scanner(bytes, kSalt);
  EXPECT_FALSE(scanner.next().has_value());
}

// A spool is what some requests wrote, in any order.
std::vector<std::string> some_frames() {
  std::vector<std::string> frames;
  const int count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) {
    const auto n = *rc::gen::inRange<uint8_t>(0, 255);
    const auto text = *rc::gen::string<std::string>();
    switch (*rc::gen::inRange(0, 3)) {
      case 0: {
        HoldRecord r;
        r.request_id = request(n);
        r.model = text;
        frames.push_back(frame_of(r));
        break;
      }
      case 1:
        frames.push_back(frame_of(ProgressRecord{request(n), {}, {n, n}, n}));
        break;
      default: {
        FinalRecord r = sample_final();
        r.request_id = request(n);
        r.upstream_request_id = text;
        r.bill.charged = base::Money::units(*rc::gen::inRange(0, 1'000'000));
        if (n % 2 == 0) r.bill.grants.add({base::GrantId{1}, n});
        frames.push_back(frame_of(r));
      }
    }
  }
  return frames;
}

std::string joined(const std::vector<std::string>& frames) {
  std::string all;
  for (const auto& f : frames) all += f;
  return all;
}

RC_GTEST_PROP(RecordProperty, AnyTruncationGivesAPrefix, ()) {
  const auto frames = some_frames();
  const std::string all = joined(frames);
  const size_t cut = *rc::gen::inRange<size_t>(0, all.size() + 1);
  const auto found = reencoded(std::string_view(all).substr(0, cut));
  size_t whole = 0;
  size_t end = 0;
  while (whole < frames.size() && end + frames[whole].size() <= cut) end += frames[whole++].size();
  RC_ASSERT(found == std::vector<std::string>(frames.begin(),
                                              frames.begin() + static_cast<ptrdiff_t>(whole)));
}

RC_GTEST_PROP(RecordProperty, DamageCostsOnlyTheRecordsItTouches, ()) {
  auto frames = some_frames();
  RC_PRE(!frames.empty());
  const size_t victim = *rc::gen::inRange<size_t>(0, frames.size());
  const size_t byte = *rc::gen::inRange<size_t>(0, frames[victim].size());
  auto damaged = frames;
  damaged[victim][byte] = static_cast<char>(damaged[victim][byte] ^ (1 << *rc::gen::inRange(0, 8)));
  auto rest = frames;
  rest.erase(rest.begin() + static_cast<ptrdiff_t>(victim));
  RC_ASSERT(reencoded(joined(damaged)) == rest);
}

RC_GTEST_PROP(RecordProperty, GarbageIsSteppedOverAndCounted, (const std::string& garbage)) {
  const std::string frame = frame_of(sample_final());
  const std::string bytes = garbage + frame;
  FrameScanner scanner(bytes, kSalt);
  RC_ASSERT(scanner.next().has_value());
  RC_ASSERT(scanner.damaged_bytes() == garbage.size());
  RC_ASSERT(!scanner.next().has_value());
}

TEST(SegmentHeader, RoundTripAndRefusal) {
  const SegmentHeader header{request(4), 3'000'001, 2, 1'800'000'000'000};
  auto bytes = encode(header);
  const auto back = decode_segment_header({bytes.data(), bytes.size()});
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->instance, header.instance);
  EXPECT_EQ(back->number, header.number);
  EXPECT_EQ(back->loop, 2);
  EXPECT_EQ(frame_salt(*back), frame_salt(header));
  EXPECT_FALSE(decode_segment_header({bytes.data(), bytes.size() - 1}).has_value());
  for (char& byte : bytes) {
    byte = static_cast<char>(byte ^ 1);
    EXPECT_FALSE(decode_segment_header({bytes.data(), bytes.size()}).has_value());
    byte = static_cast<char>(byte ^ 1);
  }
  EXPECT_EQ(segment_number(segment_path("d", 2, 3'000'001)), 3'000'001);
  EXPECT_FALSE(segment_number("d/instance").has_value());
  EXPECT_FALSE(segment_number("d/x-.spool").has_value());
}

}  // namespace
}  // namespace deeppool::governance
