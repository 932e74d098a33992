// config_version: one number that grows with every change that running processes must hear of
// (keys, users, models, endpoints, settings). Bumped inside the transaction that makes the change;
// polled by jobs/config_refresh. Blocking.
#pragma once

#include <cstdint>

#include "sql/session.h"

namespace deeppool::settings {

Result<int64_t> config_version(sql::Reader& reader);
// Take it first: its row stays locked until the commit, so that such changes run one at a time over
// all processes and may read, decide and write without losing another's update.
Result<void> bump_config_version(sql::Writer& tx);

}  // namespace deeppool::settings
