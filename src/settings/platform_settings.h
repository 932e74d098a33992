// What administrators may set while the platform runs (table platform_config): one struct, one
// table of names with their bounds. Blocking; read by cold code when it needs a value, so that
// there is nothing to refresh.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/session.h"

namespace deeppool::settings {

struct PlatformSettings {
  int64_t registration_enabled = 1;    // 0: accounts are made by administrators only
  int64_t default_rate_limit_rpm = 0;  // of new API keys that do not name their own; 0: unlimited
  int64_t default_rate_limit_tpm = 0;  // likewise
  int64_t default_quota_total = -1;    // likewise, tokens; -1: unlimited
};

enum class Kind { flag, integer };
struct Setting {
  std::string_view name;
  Kind kind;
  int64_t min;
  int64_t max;
  int64_t PlatformSettings::* value;
  std::string_view meaning;
};
// Every setting there is.
std::span<const Setting> all_settings();
const Setting* find_setting(std::string_view name);

Result<PlatformSettings> load(sql::Reader& reader);
// `value` within the setting's bounds.
Result<void> store(sql::Writer& tx, const Setting& setting, int64_t value, int64_t now_ms);

}  // namespace deeppool::settings
