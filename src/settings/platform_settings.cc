#include "settings/platform_settings.h"

#include "base/log.h"
#include "base/text.h"

namespace deeppool::settings {
namespace {

// Rates and quotas have the bounds that an API key's own have.
constexpr int64_t kMaxRate = 1'000'000'000;
constexpr int64_t kMaxQuota = 1'000'000'000'000'000;

constexpr Setting kSettings[] = {
    {"registration_enabled", Kind::flag, 0, 1, &PlatformSettings::registration_enabled,
     "Whether anybody may register an account."},
    {"default_rate_limit_rpm", Kind::integer, 0, kMaxRate,
     &PlatformSettings::default_rate_limit_rpm,
     "Requests per minute of a new API key that names no limit; 0 is unlimited."},
    {"default_rate_limit_tpm", Kind::integer, 0, kMaxRate,
     &PlatformSettings::default_rate_limit_tpm,
     "Tokens per minute of a new API key that names no limit; 0 is unlimited."},
    {"default_quota_total", Kind::integer, -1, kMaxQuota, &PlatformSettings::default_quota_total,
     "Tokens that a new API key may use in all if it names no quota; -1 is unlimited."},
};

}  // namespace

std::span<const Setting> all_settings() {
  return kSettings;
}

const Setting* find_setting(std::string_view name) {
  for (const Setting& setting : kSettings) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

Result<PlatformSettings> load(sql::Reader& reader) {
  PlatformSettings out;
  DP_TRY(const auto rows,
         (reader.query<std::string, std::string>("SELECT name, value FROM platform_config")));
  for (const auto& [name, text] : rows) {
    const Setting* setting = find_setting(name);
    if (setting == nullptr) continue;  // of a newer release
    const auto value = base::parse_int<int64_t>(text);
    if (value && *value >= setting->min && *value <= setting->max) {
      out.*setting->value = *value;
    } else {
      log::warn("a stored setting is out of range; its default holds", {{"setting", name}});
    }
  }
  return out;
}

Result<void> store(sql::Writer& tx, const Setting& setting, int64_t value, int64_t now_ms) {
  DP_CHECK(
      tx.execute("INSERT INTO platform_config (name, value, updated_at) VALUES (?, ?, ?) "
                 "{upsert name} value = {new value}, updated_at = {new updated_at}",
                 setting.name, std::to_string(value), now_ms));
  return {};
}

}  // namespace deeppool::settings
