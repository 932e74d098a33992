// The table user_custom_models: models that users made for themselves, hybrids over public models
// or a provider's endpoint with a key of their own. Blocking; for blocking pools only. Keys are
// sealed for their row; only reveal_key() opens one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "crypto/sealer.h"
#include "sql/session.h"

namespace deeppool::provider::custom {

using CustomId = base::Id<struct CustomModelTag>;

struct StoredCustom {
  CustomId id;
  base::UserId owner;
  std::string name;        // as the owner gave it
  std::string model_name;  // as it is called: full_name(owner, name)
  std::string vendor_type;
  std::vector<std::string> child_models;  // of a hybrid
  std::string routing_policy;
  std::string provider_type;  // what follows: of an endpoint
  std::string endpoint;       // base URL, valid by parse_base_url
  std::string upstream_model;
  int64_t max_context_length = 0;
  int64_t max_output_tokens = 0;
  bool supports_reasoning = false;
  bool supports_function_call = false;
  bool supports_vision = false;
  bool enabled = true;
  int64_t created_at_ms = 0;
  int64_t updated_at_ms = 0;
  std::optional<std::string> key_sealed;  // none: the upstream wants no key
};

// "u17-fast": no administrator's model may begin like that.
std::string full_name(base::UserId owner, std::string_view name);
bool looks_custom(std::string_view model_name);

// All enabled ones of enabled users, for the catalog.
Result<std::vector<StoredCustom>> load_enabled(sql::Reader& reader);
// By name.
Result<std::vector<StoredCustom>> list(sql::Reader& reader, base::UserId owner);
// not_found if this user has none with that id.
Result<StoredCustom> get(sql::Reader& reader, base::UserId owner, CustomId id);
Result<std::string> reveal_key(const crypto::Sealer& sealer, const StoredCustom& model);

// Without its key, which follows by set_key. conflict (param `name`) if the user has that name.
Result<CustomId> create(sql::Writer& tx, const StoredCustom& model, int64_t now_ms);
Result<void> update(sql::Writer& tx, const StoredCustom& model, int64_t now_ms);
// An empty key removes it.
Result<void> set_key(sql::Writer& tx, const crypto::Sealer& sealer, CustomId id,
                     std::string_view key);
Result<void> remove(sql::Writer& tx, base::UserId owner, CustomId id);

}  // namespace deeppool::provider::custom
