// The two programs that Redis runs for limits, and the translation to and from them. Redis's clock
// is the only one that counts there. Keys: `deeppool:{limits}:fleet` (a hash: epoch and instances)
// and two rings per API key (hashes from second to amount). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "ratelimit/fleet.h"
#include "ratelimit/share.h"
#include "redis/reply.h"

namespace deeppool::ratelimit {

// Words of a command, owned.
using Command = std::vector<std::string>;

// `test_ms`: the time that Redis shall believe in; nothing outside of tests.
Command beat_command(const Beat& beat, const std::string& instance, std::optional<int64_t> test_ms);
std::optional<BeatAnswer> read_beat_answer(const redis::Reply& reply);

Command lease_command(base::ApiKeyId key, const LeaseOrder& order, const std::string& instance,
                      std::optional<int64_t> test_ms);
// Nothing: Redis does not know us (any more), or speaks of another epoch.
std::optional<LeaseAnswer> read_lease_answer(const redis::Reply& reply);

// Takes `instance` out of the fleet, for an orderly end.
Command leave_command(const std::string& instance);

}  // namespace deeppool::ratelimit
