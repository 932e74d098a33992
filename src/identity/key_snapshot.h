// KeySnapshot: every API key as the hot path sees it. Immutable, built whole by KeyDirectory and
// shared by all loops; a key that is not in it does not exist, so an unknown key costs one hash and
// no database work. Keys are found by SHA-256; the whole hash is compared in constant time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "crypto/hash.h"

namespace deeppool::identity {

inline constexpr int64_t kUnlimitedQuota = -1;

struct ApiKey {
  base::ApiKeyId id;
  base::UserId owner;
  std::string name;
  bool enabled = true;
  bool owner_enabled = true;
  int64_t rate_limit_rpm = 0;               // requests per minute; 0: unlimited
  int64_t rate_limit_tpm = 0;               // tokens per minute; 0: unlimited
  int64_t max_inflight = 0;                 // requests at once; 0: unlimited
  int64_t quota_total = kUnlimitedQuota;    // tokens
  int64_t quota_used = 0;                   // tokens, as of the snapshot's making
  std::optional<int64_t> expires_at_ms;     // unix
  std::vector<std::string> allowed_models;  // sorted; empty: all

  bool may_use(std::string_view model) const;
};

class KeySnapshot {
 public:
  struct Entry {
    crypto::Digest hash;
    ApiKey key;
  };
  KeySnapshot() : KeySnapshot(std::vector<Entry>()) {}
  explicit KeySnapshot(std::vector<Entry> entries);

  // The key itself as a caller presents it; null if there is none. Valid as long as the snapshot.
  const ApiKey* find(std::string_view presented_key) const {
    return find(crypto::sha256(presented_key));
  }
  // The same by its hash.
  const ApiKey* find(const crypto::Digest& hash) const;
  size_t size() const { return entries_.size(); }

 private:
  size_t home_slot(const crypto::Digest& hash) const;

  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // open addressing; index into entries_ plus one, 0 is empty
};

// Who calls: `authorization` ("Bearer dp-...") or, without it, `x_api_key`. unauthenticated without
// a known key, permission_denied when it is disabled, expired, or its owner is disabled; the
// message says how to mend it and never holds the key. The result points into `keys`. `memo` is
// that of the caller's connection.
Result<const ApiKey*> identify(const KeySnapshot& keys,
                               std::optional<std::string_view> authorization,
                               std::optional<std::string_view> x_api_key, int64_t now_ms,
                               crypto::HashMemo& memo);

}  // namespace deeppool::identity
