#include "identity/key_snapshot.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "identity/bearer.h"

namespace deeppool::identity {

bool ApiKey::may_use(std::string_view model) const {
  return allowed_models.empty() ||
         std::binary_search(allowed_models.begin(), allowed_models.end(), model);
}

KeySnapshot::KeySnapshot(std::vector<Entry> entries) : entries_(std::move(entries)) {
  // At most half full, so that a search ends after two steps on average.
  slots_.resize(std::bit_ceil(entries_.size() * 2 + 1));
  for (size_t i = 0; i < entries_.size(); ++i) {
    size_t slot = home_slot(entries_[i].hash);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

size_t KeySnapshot::home_slot(const crypto::Digest& hash) const {
  uint64_t word = 0;
  std::memcpy(&word, hash.data(), sizeof word);
  return word & (slots_.size() - 1);
}

const ApiKey* KeySnapshot::find(const crypto::Digest& hash) const {
  for (size_t slot = home_slot(hash); slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    const Entry& entry = entries_[slots_[slot] - 1];
    if (crypto::constant_time_equal(crypto::bytes_of(entry.hash), crypto::bytes_of(hash))) {
      return &entry.key;
    }
  }
  return nullptr;
}

Result<const ApiKey*> identify(const KeySnapshot& keys,
                               std::optional<std::string_view> authorization,
                               std::optional<std::string_view> x_api_key, int64_t now_ms,
                               crypto::HashMemo& memo) {
  const std::string_view presented =
      authorization ? bearer_token(*authorization) : base::trim(x_api_key.value_or(""));
  if (presented.empty()) {
    return Error(ErrorCode::unauthenticated,
                 "No API key was given. Send it as `Authorization: Bearer dp-...`.");
  }
  const ApiKey* key = keys.find(memo.sha256(presented));
  if (key == nullptr) {
    return Error(ErrorCode::unauthenticated,
                 "The API key is not known here. Check it, or create a new one in the portal.");
  }
  if (!key->owner_enabled) {
    return Error(ErrorCode::permission_denied,
                 "The account of this API key is disabled. Ask an administrator.");
  }
  if (!key->enabled) {
    return Error(ErrorCode::permission_denied,
                 "This API key is disabled. Enable it in the portal, or use another one.");
  }
  if (key->expires_at_ms && *key->expires_at_ms <= now_ms) {
    return Error(ErrorCode::permission_denied,
                 "This API key has expired. Extend it in the portal, or create a new one.");
  }
  return key;
}

}  // namespace deeppool::identity
