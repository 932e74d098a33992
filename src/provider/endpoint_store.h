// The table model_endpoints: upstreams as administrators keep them. Blocking; for blocking pools
// only. Upstream keys are sealed for their row; only reveal_key() opens one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "crypto/sealer.h"
#include "sql/session.h"

namespace deeppool::provider::endpoints {

struct StoredEndpoint {
  base::EndpointId id;
  std::string name;
  std::string model_family;
  std::string provider_type = "openai";
  std::string endpoint;  // base URL, valid by parse_base_url
  std::string ca_file;   // PEM, on this server; empty: the system's authorities
  std::string upstream_model;
  int64_t weight = 1;
  int64_t priority = 0;
  int64_t max_inflight = 0;
  bool enabled = true;
  std::string api_version;            // of the vendor's API; empty: the adapter's choice
  bool prefix_continuation = false;   // it goes on behind a given beginning of an answer
  std::string param_policy = "drop";  // or "refuse"
  int64_t created_at_ms = 0;
  int64_t updated_at_ms = 0;
  std::optional<std::string> key_sealed;  // none: the upstream wants no key

  static StoredEndpoint from_row(const sql::Row& row);
};

struct Search {
  std::string keyword;  // in name, family or upstream model; empty: all
  std::optional<std::string> family;
  int64_t limit = 20;
  int64_t offset = 0;
};
struct Found {
  std::vector<StoredEndpoint> endpoints;  // by name
  int64_t total = 0;
};

// All enabled ones, for the catalog.
Result<std::vector<StoredEndpoint>> load_enabled(sql::Reader& reader);
Result<Found> search(sql::Reader& reader, const Search& wanted);
// not_found if there is none.
Result<StoredEndpoint> get(sql::Reader& reader, base::EndpointId id);
// Empty if it has no key; internal if the sealed text is damaged or was sealed with another key.
Result<std::string> reveal_key(const crypto::Sealer& sealer, const StoredEndpoint& endpoint);

// Without its key, which follows by set_key. conflict (param `name`) if the name is taken.
Result<base::EndpointId> create(sql::Writer& tx, const StoredEndpoint& endpoint, int64_t now_ms);
Result<void> update(sql::Writer& tx, const StoredEndpoint& endpoint, int64_t now_ms);
// An empty key removes it.
Result<void> set_key(sql::Writer& tx, const crypto::Sealer& sealer, base::EndpointId id,
                     std::string_view key);
// conflict while models use it; the message names some of them.
Result<void> remove(sql::Writer& tx, base::EndpointId id);

struct Counts {
  int64_t total = 0;
  int64_t enabled = 0;
};
Result<Counts> count(sql::Reader& reader);

}  // namespace deeppool::provider::endpoints
