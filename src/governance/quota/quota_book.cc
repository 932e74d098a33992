#include "governance/quota/quota_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "governance/limits.h"

namespace deeppool::governance {
namespace {

int64_t sane(int64_t tokens) {
  return std::clamp<int64_t>(tokens, 0, kMaxRequestTokens);
}

}  // namespace

QuotaHold::QuotaHold(QuotaHold&& other) noexcept
    : book_(std::exchange(other.book_, nullptr)), key_(other.key_), tokens_(other.tokens_) {}

QuotaHold& QuotaHold::operator=(QuotaHold&& other) noexcept {
  if (this == &other) return *this;
  settle(0);
  book_ = std::exchange(other.book_, nullptr);
  key_ = other.key_;
  tokens_ = other.tokens_;
  return *this;
}

Result<void> QuotaHold::extend(int64_t tokens) {
  if (book_ == nullptr)
    return Error(ErrorCode::internal, "Internal error.", "extend of a settled hold");
  DP_CHECK(book_->extend(key_, sane(tokens)));
  tokens_ += sane(tokens);
  return {};
}

void QuotaHold::settle(int64_t used_tokens) {
  if (book_ == nullptr) return;
  std::exchange(book_, nullptr)->settle(key_, std::exchange(tokens_, 0), sane(used_tokens));
}

Result<QuotaHold> QuotaBook::hold(base::ApiKeyId key, QuotaTerms terms, int64_t tokens) {
  const int64_t wanted = sane(tokens);
  Shard& shard = shards_[shard_of(key)];
  const std::lock_guard lock(shard.mutex);
  const auto [found, fresh] = shard.entries.try_emplace(key);
  Entry& entry = found->second;
  if (fresh) entry.used = std::clamp<int64_t>(terms.used_in_store, 0, kMaxQuotaTokens);
  entry.total = terms.total;
  DP_CHECK(take(entry, wanted));
  return QuotaHold(*this, key, wanted);
}

QuotaStanding QuotaBook::standing(base::ApiKeyId key, QuotaTerms terms) const {
  const Shard& shard = shards_[shard_of(key)];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(key);
  if (found == shard.entries.end()) return {terms.used_in_store, 0};
  return {found->second.used, found->second.held};
}

size_t QuotaBook::shard_of(base::ApiKeyId key) {
  // Fibonacci hashing: neighbouring ids must not share a lock, nor equal remainders a bucket.
  return (static_cast<uint64_t>(key.value) * 0x9E3779B97F4A7C15u) >> 56;
}

Result<void> QuotaBook::take(Entry& entry, int64_t tokens) {
  const int64_t limit = entry.total < 0 ? kMaxQuotaTokens : std::min(entry.total, kMaxQuotaTokens);
  if (tokens <= limit - entry.used - entry.held) {
    entry.held += tokens;
    return {};
  }
  return Error(
      ErrorCode::insufficient_quota,
      fmt::format(
          "This API key's token quota does not cover the request: Quota {}, Used {}, Held by "
          "running requests {}, Requested {}. Raise the key's quota, or ask for fewer "
          "output tokens (max_tokens).",
          limit, entry.used, entry.held, tokens));
}

Result<void> QuotaBook::extend(base::ApiKeyId key, int64_t tokens) {
  Shard& shard = shards_[shard_of(key)];
  const std::lock_guard lock(shard.mutex);
  return take(shard.entries.at(key), tokens);
}

void QuotaBook::settle(base::ApiKeyId key, int64_t held, int64_t used) {
  Shard& shard = shards_[shard_of(key)];
  const std::lock_guard lock(shard.mutex);
  Entry& entry = shard.entries.at(key);
  entry.held -= held;
  entry.used = std::min(entry.used + used, kMaxQuotaTokens);
}

}  // namespace deeppool::governance
