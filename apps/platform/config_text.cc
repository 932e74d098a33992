#include "apps/platform/config_text.h"

#include <vector>

#include "apps/platform/config_keys.h"
#include "base/text.h"

namespace deeppool::platform {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

std::string list_text(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + quoted(item);
  return out + "]";
}

// The value as YAML.
std::string value_text(const ConfigKey& key, Config& config) {
  struct Printer {
    Config& c;
    Shown shown;
    std::string operator()(Place<std::string> place) const {
      const bool hide = shown == Shown::masked && !place(c).empty();
      return quoted(hide ? "***" : place(c));
    }
    std::string operator()(Place<int64_t> place) const { return std::to_string(place(c)); }
    std::string operator()(Place<bool> place) const { return place(c) ? "true" : "false"; }
    std::string operator()(Place<seconds> place) const { return std::to_string(place(c).count()); }
    std::string operator()(Place<std::vector<std::string>> place) const {
      return list_text(place(c));
    }
  };
  return std::visit(Printer{config, key.shown}, key.slot);
}

// Opens the sections of `path` that `open` has not; returns the indentation of its last name.
std::string open_sections(std::string& out, std::vector<std::string>& open, std::string_view path) {
  const auto names = base::split(path, '.');
  size_t same = 0;
  while (same < open.size() && same + 1 < names.size() && open[same] == names[same]) ++same;
  open.resize(same);
  for (size_t i = same; i + 1 < names.size(); ++i) {
    out += std::string(2 * i, ' ') + std::string(names[i]) + ":\n";
    open.emplace_back(names[i]);
  }
  return std::string(2 * open.size(), ' ');
}

std::string_view last_name(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

constexpr std::string_view kIntroduction = R"(# Configuration

Written by the test of `apps/platform/config_text.cc` from the table in `config_keys.cc`; run
`UPDATE_GOLDEN=1 platform_test` after changing it.

The programs read a YAML file (`--config FILE`; samples in `config/`) and the environment.
A variable wins over the file: `DEEPPOOL_` and the path in capitals, joined by `__`
(`DEEPPOOL_SERVER__HTTP_ADDR`, `DEEPPOOL_LOG_LEVEL`); lists are separated by commas.
An unknown key or variable, a bad type or a value out of range stops the start and says where and
what was expected. `--check-config` does only that and prints what would be in force, with secrets
masked. `HTTPS_PROXY` and `NO_PROXY` are used for requests to providers.

)";

}  // namespace

std::string effective_yaml(const Config& config) {
  Config copy = config;
  std::string out;
  std::vector<std::string> open;
  for (const ConfigKey& key : config_keys()) {
    if (key.path.starts_with("mysql.") && !config.mysql) continue;
    const std::string indent = open_sections(out, open, key.path);
    out += indent + std::string(last_name(key.path)) + ": " + value_text(key, copy) + "\n";
  }
  return out;
}

std::string configuration_reference() {
  Config defaults;
  std::string out(kIntroduction);
  out += "| key | default | must be | what it is for |\n|---|---|---|---|\n";
  for (const ConfigKey& key : config_keys()) {
    out += "| `" + std::string(key.path) + "` | `" + value_text(key, defaults) + "` | " +
           expectation(key) + " | " + std::string(key.help) +
           (key.takes == Takes::reload ? " A SIGHUP loads it anew." : "") + " |\n";
  }
  out += "\nKeys of later versions are accepted with a warning, so that one file serves both:\n\n";
  for (const LaterKey& key : later_keys()) {
    out += "- `" + std::string(key.path) + "`: " + std::string(key.feature) + "\n";
  }
  return out;
}

}  // namespace deeppool::platform
