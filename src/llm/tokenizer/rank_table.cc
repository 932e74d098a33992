#include "llm/tokenizer/rank_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

namespace deeppool::llm {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

namespace {

constexpr char kMagic[9] = "DPTOK001";
constexpr uint32_t kClassBlocks = 0x110000 / 256;

// FNV-1a with murmur's finaliser; build.mjs computes the same.
uint32_t hash_of(std::string_view bytes) {
  uint32_t h = 0x811c9dc5;
  for (const char c : bytes) h = (h ^ static_cast<uint8_t>(c)) * 0x01000193;
  h = (h ^ h >> 16) * 0x85ebca6b;
  h = (h ^ h >> 13) * 0xc2b2ae35;
  return h ^ h >> 16;
}

Error unavailable(const std::string& path, std::string_view why) {
  return Error(ErrorCode::unavailable, "A tokenizer file cannot be used.",
               path + ": " + std::string(why) + " (made by tools/tokenizer_ranks/build.sh)");
}

}  // namespace

Result<std::unique_ptr<const RankTable>> RankTable::map(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unavailable(path, std::strerror(errno));
  struct stat status{};
  const bool known = ::fstat(fd, &status) == 0 && status.st_size > 0;
  const auto size = known ? static_cast<size_t>(status.st_size) : 0;
  void* base = known ? ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  ::close(fd);
  if (base == MAP_FAILED) return unavailable(path, "cannot be mapped");
  // Lookups are scattered: reading ahead would only fill memory.
  ::madvise(base, size, MADV_RANDOM);
  std::unique_ptr<const RankTable> table(new RankTable(static_cast<const char*>(base), size));
  if (!table->well_formed()) return unavailable(path, "not a tokenizer file of this version");
  return table;
}

RankTable::RankTable(const char* base, size_t size)
    : base_(base), size_(size), header_(reinterpret_cast<const Header*>(base)) {
  if (size < sizeof(Header)) return;
  slots_ = reinterpret_cast<const Slot*>(base + header_->slots_at);
  offsets_ = reinterpret_cast<const uint32_t*>(base + header_->offsets_at);
  block_of_ = reinterpret_cast<const uint16_t*>(base + header_->block_of_at);
  blocks_ = reinterpret_cast<const uint8_t*>(base + header_->blocks_at);
}

RankTable::~RankTable() {
  ::munmap(const_cast<char*>(base_), size_);
}

bool RankTable::well_formed() const {
  if (size_ < sizeof(Header)) return false;
  const Header& h = *header_;
  const auto fits = [&](uint64_t at, uint64_t count, uint64_t width) {
    return at % width == 0 && at + count * width <= size_;
  };
  return std::memcmp(h.magic, kMagic, sizeof h.magic) == 0 && h.file_size == size_ &&
         h.pattern <= static_cast<uint32_t>(Pattern::o200k) && std::has_single_bit(h.slot_count) &&
         h.slot_count > h.token_count && fits(h.slots_at, h.slot_count, sizeof(Slot)) &&
         fits(h.offsets_at, uint64_t{h.token_count} + 1, 4) &&
         fits(h.bytes_at, offsets_[h.token_count], 1) && fits(h.block_of_at, kClassBlocks, 2) &&
         fits(h.blocks_at, 256, 1);
}

uint32_t RankTable::rank(std::string_view bytes) const {
  if (bytes.size() > header_->longest_token) return kNone;
  const uint32_t hash = hash_of(bytes);
  const uint32_t mask = header_->slot_count - 1;
  for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot slot = slots_[i];
    if (slot.rank_plus_one == 0) return kNone;
    if (slot.hash != hash) continue;
    const uint32_t rank = slot.rank_plus_one - 1;
    const uint32_t begin = offsets_[rank];
    const uint32_t size = offsets_[rank + 1] - begin;
    if (size != bytes.size()) continue;
    if (std::memcmp(base_ + header_->bytes_at + begin, bytes.data(), size) == 0) return rank;
  }
}

}  // namespace deeppool::llm
