#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include "governance/spool/spool.h"
#include "governance/spool/spool_reader.h"
#include "testing/fake_clock.h"

namespace deeppool::governance {
namespace {

namespace fs = std::filesystem;

base::RequestId request(int n) {
  base::RequestId id;
  std::memcpy(id.bytes.data(), &n, sizeof n);
  return id;
}

int number_of(const base::RequestId& id) {
  int n = 0;
  std::memcpy(&n, id.bytes.data(), sizeof n);
  return n;
}

HoldRecord hold(int n) {
  HoldRecord r;
  r.request_id = request(n);
  r.model = "m";
  return r;
}

FinalRecord final_record(int n) {
  FinalRecord r;
  r.request_id = request(n);
  r.model = "m";
  r.usage.prompt_tokens = n;
  return r;
}

class SpoolTest : public ::testing::Test {
 protected:
  SpoolTest() {
    std::string name = (fs::temp_directory_path() / "deeppool-spool-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    settings_.directory = root_ / "spool";
    settings_.volatile_folder = VolatileFolder::allow;
    settings_.sync_interval = std::chrono::hours(1);  // the tests call sync_now() themselves
    settings_.reserve_bytes = 1 << 20;
  }
  ~SpoolTest() override { fs::remove_all(root_); }

  std::unique_ptr<Spool> open() {
    auto spool = Spool::open(settings_, clock_, random_);
    EXPECT_TRUE(spool.ok()) << (spool ? "" : spool.error().message);
    return spool ? *std::move(spool) : nullptr;
  }

  // The request numbers of all final records, in segment order.
  static std::vector<int> finals(const Spool& spool) {
    std::vector<int> found;
    for (const auto& segment : spool.segments()) {
      auto reader = SpoolReader::open(segment.path);
      EXPECT_TRUE(reader.ok());
      while (true) {
        const auto record = reader->next(segment.readable);
        EXPECT_TRUE(record.ok());
        if (!record.ok() || !record.value()) break;
        if (const auto* f = std::get_if<FinalRecord>(&**record))
          found.push_back(number_of(f->request_id));
      }
      EXPECT_EQ(reader->damaged_bytes(), 0u);
    }
    return found;
  }

  // Holds (negative) and final records, in segment order.
  static std::vector<int> records(const Spool& spool) {
    std::vector<int> found;
    for (const auto& segment : spool.segments()) {
      auto reader = SpoolReader::open(segment.path);
      while (true) {
        const auto record = reader->next(segment.readable);
        if (!record.ok() || !record.value()) break;
        if (const auto* h = std::get_if<HoldRecord>(&**record))
          found.push_back(-number_of(h->request_id));
        if (const auto* f = std::get_if<FinalRecord>(&**record))
          found.push_back(number_of(f->request_id));
      }
    }
    return found;
  }

  fs::path root_;
  SpoolSettings settings_;
  testing::FakeClock clock_;
  base::SeededRandom random_{1};
};

TEST_F(SpoolTest, WhatIsAppendedCanBeReadAtOnce) {
  auto spool = open();
  auto writer = spool->writer(0);
  ASSERT_TRUE(writer->append_hold(hold(1)).ok());
  writer->append_final(final_record(1));
  auto other = spool->writer(1);
  other->append_final(final_record(2));
  EXPECT_EQ(finals(*spool), (std::vector{1, 2}));
  spool->sync_now();
  EXPECT_TRUE(spool->accepting());
}

TEST_F(SpoolTest, FolderIsForItsOwnerOnly) {
  const mode_t before = ::umask(022);
  const auto spool = open();
  ::umask(before);
  EXPECT_EQ(fs::status(settings_.directory).permissions(), fs::perms::owner_all);
}

TEST_F(SpoolTest, SegmentsRollAndNumbersNeverRepeat) {
  settings_.segment_bytes = 500;
  int64_t last = 0;
  std::vector<int> expected;
  for (int run = 0; run < 3; ++run) {
    auto spool = open();
    auto writer = spool->writer(0);
    for (int i = 0; i < 10; ++i) {
      writer->append_final(final_record(run * 10 + i));
      expected.push_back(run * 10 + i);
    }
    const auto segments = spool->segments();
    EXPECT_GE(segments.size(), 3u);
    EXPECT_GT(segments.back().number, last);
    last = segments.back().number;
    EXPECT_EQ(finals(*spool), expected);
    EXPECT_EQ(segments.front().adopted, run > 0);
  }
}

TEST_F(SpoolTest, NumbersNeverRepeatAfterEverythingWasDeleted) {
  int64_t first = 0;
  {
    auto spool = open();
    spool->writer(0)->append_final(final_record(1));
    const auto segment = spool->segments().front();
    first = segment.number;
    EXPECT_TRUE(segment.sealed);
    ASSERT_TRUE(spool->remove(segment).ok());
    EXPECT_TRUE(spool->segments().empty());
  }
  auto spool = open();
  spool->writer(0)->append_final(final_record(2));
  EXPECT_GT(spool->segments().front().number, first);
}

TEST_F(SpoolTest, InstanceIsKeptAndTheFolderIsLocked) {
  InstanceId instance;
  {
    auto spool = open();
    instance = spool->instance();
    const auto second = Spool::open(settings_, clock_, random_);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::unavailable);
    EXPECT_NE(second.error().message.find("Another DeepPool process"), std::string::npos);
  }
  EXPECT_EQ(open()->instance(), instance);
}

TEST_F(SpoolTest, AnUnwritableFolderIsAClearError) {
  std::ofstream(root_ / "spool") << "a file where the folder should be";
  const auto spool = Spool::open(settings_, clock_, random_);
  ASSERT_FALSE(spool.ok());
  EXPECT_NE(spool.error().message.find((root_ / "spool").native()), std::string::npos);
}

TEST_F(SpoolTest, TornTailOfAKilledProcessIsIgnored) {
  fs::path path;
  {
    auto spool = open();
    auto writer = spool->writer(0);
    writer->append_final(final_record(1));
    writer->append_final(final_record(2));
    path = spool->segments().front().path;
  }
  fs::resize_file(path, fs::file_size(path) - 5);
  EXPECT_EQ(finals(*open()), std::vector{1});
}

TEST_F(SpoolTest, AHalfWrittenHeaderIsNoSegment) {
  {
    open();
  }
  std::ofstream(settings_.directory / "0-77.spool") << "DPSPOOL";
  auto spool = open();
  ASSERT_EQ(spool->segments().size(), 1u);
  const auto reader = SpoolReader::open(spool->segments().front().path);
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code, ErrorCode::invalid_request);
}

TEST_F(SpoolTest, DamageLargerThanTheReadBufferIsSteppedOver) {
  auto spool = open();
  auto writer = spool->writer(0);
  writer->append_final(final_record(1));
  const auto segment = spool->segments().front();
  // Another's bytes land in the file, then our writer goes on (it appends).
  std::ofstream(segment.path, std::ios::app | std::ios::binary)
      << std::string(3 * kReadBytes + 17, '\x9a');
  writer->append_final(final_record(2));
  auto reader = SpoolReader::open(segment.path);
  ASSERT_TRUE(reader.ok());
  std::vector<int> found;
  while (true) {
    const auto record = reader->next();
    if (!record.ok() || !record.value()) break;
    found.push_back(number_of(std::get<FinalRecord>(**record).request_id));
  }
  EXPECT_EQ(found, (std::vector{1, 2}));
  EXPECT_EQ(reader->damaged_bytes(), 3 * kReadBytes + 17);
}

TEST_F(SpoolTest, AReaderFollowsALiveSegment) {
  auto spool = open();
  auto writer = spool->writer(0);
  writer->append_final(final_record(0));
  auto reader = SpoolReader::open(spool->segments().front().path);
  ASSERT_TRUE(reader.ok());
  for (int i = 0; i < 9000; ++i) {  // more than one read buffer
    const auto record = reader->next(spool->segments().front().readable);
    ASSERT_TRUE(record.ok() && record.value());
    ASSERT_EQ(number_of(std::get<FinalRecord>(**record).request_id), i);
    ASSERT_FALSE(reader->next(spool->segments().front().readable)->has_value());
    writer->append_final(final_record(i + 1));
  }
}

// A file size limit makes write(2) come back short and then fail, as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(SpoolTest, ShortWritesAreRepairedAndNothingIsLost) {
  auto spool = open();
  auto writer = spool->writer(0);
  std::vector<int> written;
  {
    const FileSizeLimit limit(700);
    for (int i = 0; i < 30; ++i) {
      writer->append_final(final_record(i));
      written.push_back(i);
    }
    EXPECT_FALSE(spool->accepting());
    EXPECT_FALSE(writer->append_hold(hold(99)).ok());
  }
  spool->sync_now();
  EXPECT_TRUE(spool->accepting());
  EXPECT_EQ(finals(*spool), written);
}

TEST_F(SpoolTest, ADeadDiskParksFinalsInMemoryUntilItLivesAgain) {
  auto spool = open();
  auto writer = spool->writer(0);
  {
    const FileSizeLimit limit(0);
    writer->append_final(final_record(1));
    writer->append_final(final_record(2));
    spool->sync_now();
    EXPECT_FALSE(spool->accepting());
    EXPECT_TRUE(finals(*spool).empty());
    const auto refused = writer->append_hold(hold(3));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  }
  spool->sync_now();
  EXPECT_TRUE(spool->accepting());
  EXPECT_EQ(finals(*spool), (std::vector{1, 2}));
  EXPECT_EQ(spool->lost(), 0u);
  EXPECT_TRUE(writer->append_hold(hold(3)).ok());
}

TEST_F(SpoolTest, ATurnsRecordsAreWrittenTogether) {
  auto spool = open();
  auto writer = spool->writer(0, WriteWhen::flushed);
  ASSERT_TRUE(writer->append_hold(hold(1)).ok());
  writer->append_final(final_record(1));
  writer->append_final(final_record(2));
  EXPECT_TRUE(finals(*spool).empty());
  writer->flush();
  writer->flush();
  EXPECT_EQ(finals(*spool), (std::vector{1, 2}));
}

TEST_F(SpoolTest, ATurnThatADeadDiskRefusesWaitsInMemory) {
  auto spool = open();
  auto writer = spool->writer(0, WriteWhen::flushed);
  {
    const FileSizeLimit limit(0);
    ASSERT_TRUE(writer->append_hold(hold(1)).ok());
    writer->append_final(final_record(1));
    writer->flush();
    EXPECT_FALSE(spool->accepting());
    EXPECT_FALSE(writer->append_hold(hold(2)).ok());
    writer->append_final(final_record(2));  // in flight
    writer->flush();
  }
  spool->sync_now();
  EXPECT_TRUE(spool->accepting());
  EXPECT_EQ(finals(*spool), (std::vector{1, 2}));
  EXPECT_EQ(spool->lost(), 0u);
}

// The disk lives again before the flushing thread has seen it.
TEST_F(SpoolTest, AFinalRecordWaitsBehindItsParkedHold) {
  auto spool = open();
  auto writer = spool->writer(0, WriteWhen::flushed);
  ASSERT_TRUE(writer->append_hold(hold(1)).ok());
  writer->flush();
  ASSERT_TRUE(writer->append_hold(hold(2)).ok());
  {
    const FileSizeLimit limit(0);
    writer->flush();
  }
  writer->append_final(final_record(2));
  writer->flush();
  spool->sync_now();
  ASSERT_TRUE(spool->accepting());
  ASSERT_TRUE(writer->append_hold(hold(3)).ok());
  writer->append_final(final_record(1));
  writer->flush();
  EXPECT_EQ(records(*spool), (std::vector{-1, -2, 2, -3, 1}));
}

TEST_F(SpoolTest, MoreThanATurnsShareIsWrittenInParts) {
  settings_.segment_bytes = 20'000;
  auto spool = open();
  std::vector<int> expected;
  auto writer = spool->writer(0, WriteWhen::flushed);
  for (int i = 0; i < 2000; ++i) {
    writer->append_final(final_record(i));
    expected.push_back(i);
  }
  EXPECT_FALSE(finals(*spool).empty());
  writer.reset();
  EXPECT_EQ(finals(*spool), expected);
}

TEST_F(SpoolTest, MemoryForParkedFinalsIsBounded) {
  auto spool = open();
  auto writer = spool->writer(0);
  const std::string model(kMaxModelBytes, 'm');
  FinalRecord r = final_record(1);
  r.model = model;
  const FileSizeLimit limit(0);
  for (size_t i = 0; i < kParkedBytes / 256; ++i) writer->append_final(r);
  EXPECT_GT(spool->lost(), 0u);
}

TEST_F(SpoolTest, TooLittleSpaceStopsAcceptingButNotWhatIsInFlight) {
  auto spool = open();
  EXPECT_TRUE(spool->accepting());
  spool.reset();
  settings_.min_free_bytes = UINT64_MAX / 2;
  spool = open();
  spool->sync_now();
  EXPECT_FALSE(spool->accepting());
  spool->writer(0)->append_final(final_record(1));  // in flight: still written
  EXPECT_EQ(finals(*spool), std::vector{1});
}

// A small file system of its own; needs the right to mount.
TEST_F(SpoolTest, AFullDiskFinishesFromTheReserveAndResumesByItself) {
  const fs::path disk = root_ / "disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=4m") != 0) GTEST_SKIP() << "cannot mount";
  settings_.directory = disk / "spool";
  settings_.min_free_bytes = 256 << 10;
  std::vector<int> written;
  {
    auto spool = open();
    auto writer = spool->writer(0);
    ASSERT_TRUE(writer->append_hold(hold(0)).ok());
    std::ofstream filler(disk / "filler", std::ios::binary);
    while (filler << std::string(64 << 10, 'x') << std::flush) {
    }
    filler.close();
    for (int i = 0; i < 1000; ++i) {
      writer->append_final(final_record(i));
      written.push_back(i);
    }
    EXPECT_FALSE(spool->accepting());
    EXPECT_FALSE(writer->append_hold(hold(2000)).ok());
    spool->sync_now();
    EXPECT_FALSE(spool->accepting());
    fs::remove(disk / "filler");
    spool->sync_now();
    spool->sync_now();
    EXPECT_TRUE(spool->accepting());
    EXPECT_TRUE(writer->append_hold(hold(2000)).ok());
    auto found = finals(*spool);
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, written);
    EXPECT_EQ(spool->lost(), 0u);
  }
  ASSERT_EQ(::umount(disk.c_str()), 0);
}

TEST_F(SpoolTest, AVolatileFolderIsRefusedUnlessAllowed) {
  settings_.directory = "/dev/shm/deeppool-test-" + std::to_string(::getpid());
  settings_.volatile_folder = VolatileFolder::refuse;
  const auto refused = Spool::open(settings_, clock_, random_);
  fs::remove_all(settings_.directory);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("does not survive a restart"), std::string::npos);
}

TEST_F(SpoolTest, LoopsAppendWhileTheSyncThreadFlushes) {
  settings_.sync_interval = std::chrono::milliseconds(1);
  settings_.segment_bytes = 20'000;
  auto spool = open();
  {
    std::vector<std::jthread> loops;
    for (int loop = 0; loop < 3; ++loop) {
      loops.emplace_back([&spool, loop] {
        auto writer = spool->writer(loop);
        for (int i = 0; i < 2000; ++i) {
          EXPECT_TRUE(writer->append_hold(hold(loop * 10'000 + i)).ok());
          writer->append_final(final_record(loop * 10'000 + i));
        }
      });
    }
  }
  EXPECT_EQ(finals(*spool).size(), 6000u);
}

}  // namespace
}  // namespace deeppool::governance
