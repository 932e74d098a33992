#include "settings/config_version.h"

namespace deeppool::settings {

Result<int64_t> config_version(sql::Reader& reader) {
  return reader.query_value<int64_t>("SELECT version FROM config_version WHERE id = 1");
}

Result<void> bump_config_version(sql::Writer& tx) {
  DP_CHECK(tx.execute("UPDATE config_version SET version = version + 1 WHERE id = 1"));
  return {};
}

}  // namespace deeppool::settings
