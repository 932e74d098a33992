// The table api_keys. Blocking; for blocking pools only. Whatever takes an owner finds that owner's
// keys only: another's key is not_found, exactly as a missing one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/money.h"
#include "crypto/sealer.h"
#include "identity/key_snapshot.h"
#include "sql/session.h"

namespace deeppool::identity::api_keys {

struct StoredKey {
  ApiKey key;  // owner_enabled is not looked up here
  std::string prefix;
  base::Money charged;  // by all requests so far
  int64_t created_at_ms = 0;
  int64_t updated_at_ms = 0;
  std::optional<int64_t> last_used_at_ms;
};

struct Search {
  std::string keyword;  // in the name; empty: all
  int64_t limit = 20;
  int64_t offset = 0;
};
struct Found {
  std::vector<StoredKey> keys;  // newest first
  int64_t total = 0;
};

// All keys of all users, for the snapshot.
Result<std::vector<KeySnapshot::Entry>> load_all(sql::Reader& reader);

Result<Found> search(sql::Reader& reader, base::UserId owner, const Search& wanted);
Result<StoredKey> get(sql::Reader& reader, base::UserId owner, base::ApiKeyId id);

// Stores `key` (its id is ignored) under the hash of `secret`, and the secret sealed. conflict when
// the owner has kMaxKeysPerUser. Inside a transaction.
struct Creation {
  const ApiKey& key;
  std::string_view secret;
  const crypto::Sealer& sealer;
  int64_t now_ms;
};
Result<base::ApiKeyId> create(sql::Writer& tx, const Creation& creation);
// Everything a user may change, by key.id and key.owner.
Result<void> update(sql::Writer& tx, const ApiKey& key, int64_t now_ms);
// Tokens; -1: unlimited. What is in use beyond it counts as debt (governance/funds/debts.h).
Result<void> set_quota(sql::Writer& tx, base::ApiKeyId id, int64_t total);
Result<void> remove(sql::Writer& tx, base::UserId owner, base::ApiKeyId id);
// The key itself, for its owner's eyes.
Result<std::string> reveal(sql::Reader& reader, const crypto::Sealer& sealer, base::UserId owner,
                           base::ApiKeyId id);

struct Counts {
  int64_t total = 0;
  int64_t enabled = 0;
};
Result<Counts> count(sql::Reader& reader);

}  // namespace deeppool::identity::api_keys
