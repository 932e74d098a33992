#include "apps/platform/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "apps/platform/config_keys.h"
#include "apps/platform/config_yaml.h"
#include "apps/platform/limits.h"
#include "apps/platform/near_miss.h"
#include "base/text.h"

namespace deeppool::platform {
namespace {

constexpr std::string_view kPrefix = "DEEPPOOL_";
// Read by tests and by crash points, never settings.
constexpr std::string_view kNotSettings[] = {"DEEPPOOL_TEST_", "DEEPPOOL_CRASH_AT"};

// Collects what is wrong, so that a file is mended in one go.
class Problems {
 public:
  void add(std::string line) {
    if (lines_.size() < kMaxConfigProblems) lines_.push_back(std::move(line));
  }
  Result<void> result() const {
    if (lines_.empty()) return {};
    std::string all;
    for (const std::string& line : lines_) all += (all.empty() ? "" : "\n") + line;
    return Error(ErrorCode::invalid_request, std::move(all));
  }

 private:
  std::vector<std::string> lines_;
};

// The value as an error may show it: short, printable, never a secret.
std::string shown(const ConfigKey& key, std::string_view text) {
  if (key.shown == Shown::masked) return "";
  std::string out = ", got ";
  base::append_json_string(out, text.substr(0, kMaxShownValue));
  return out;
}

std::string wrong_value(std::string_view origin, const ConfigKey& key, const std::string& got) {
  return std::string(origin) + ": " + std::string(key.path) + ": expected " + expectation(key) +
         got;
}

std::string unknown_key(std::string_view origin, std::string_view name,
                        const std::optional<std::string>& suggestion) {
  std::string line = std::string(origin) + ": unknown key ";
  base::append_json_string(line, name.substr(0, kMaxShownValue));
  if (suggestion) line += "; did you mean \"" + *suggestion + "\"?";
  return line;
}

std::string not_used(std::string_view origin, const LaterKey& key) {
  return std::string(origin) + ": " + std::string(key.path) + " (" + std::string(key.feature) +
         ") is not used by this version";
}

std::string wrong_form(std::string_view origin, const LaterKey& key) {
  static constexpr std::string_view kForms[] = {"text", "a list", "a section of keys"};
  return std::string(origin) + ": " + std::string(key.path) + ": expected " +
         std::string(kForms[static_cast<size_t>(key.form)]);
}

bool fits(LaterKey::Form form, YamlEntry::Kind kind) {
  switch (form) {
    case LaterKey::Form::text:
      return kind == YamlEntry::Kind::scalar;
    case LaterKey::Form::list:
      return kind == YamlEntry::Kind::list || kind == YamlEntry::Kind::nested_list;
    case LaterKey::Form::section:
      return kind == YamlEntry::Kind::section;
  }
  return false;
}

class FileReader {
 public:
  FileReader(Config& config, Problems& problems, std::string_view name)
      : config_(config), problems_(problems), name_(name) {}

  void take(const YamlEntry& entry) {
    const std::string origin = name_ + ":" + std::to_string(entry.line);
    if (const LaterKey* later = find_later_key(entry.path)) {
      if (entry.path == later->path) take_later(origin, *later, entry.kind);
    } else if (const ConfigKey* key = find_key(entry.path)) {
      take_value(origin, *key, entry);
    } else if (is_section(entry.path)) {
      take_section(origin, entry);
    } else if (!below_unknown(entry.path)) {
      unknown_.push_back(entry.path + ".");
      problems_.add(unknown_key(origin, entry.path, nearest_key(entry.path)));
    }
  }

 private:
  void take_value(const std::string& origin, const ConfigKey& key, const YamlEntry& entry) {
    using Kind = YamlEntry::Kind;
    if (entry.kind == Kind::null) return;  // "key:" keeps the default
    config_.origins[entry.path] = origin;
    if (entry.kind == Kind::section) unknown_.push_back(entry.path + ".");
    if (is_list(key)) {
      if (entry.kind == Kind::list && set_list(key, config_, entry.items)) return;
      problems_.add(wrong_value(origin, key, ""));
    } else if (entry.kind != Kind::scalar) {
      problems_.add(wrong_value(origin, key,
                                entry.kind == Kind::section ? ", got a section" : ", got a list"));
    } else if (!set_scalar(key, config_, entry.text)) {
      problems_.add(wrong_value(origin, key, shown(key, entry.text)));
    }
  }

  void take_later(const std::string& origin, const LaterKey& key, YamlEntry::Kind kind) {
    if (kind == YamlEntry::Kind::null || fits(key.form, kind)) {
      config_.warnings.push_back(not_used(origin, key));
    } else {
      problems_.add(wrong_form(origin, key));
    }
  }

  void take_section(const std::string& origin, const YamlEntry& entry) {
    if (entry.kind == YamlEntry::Kind::section) {
      if (entry.path == "mysql" && !config_.mysql) config_.mysql.emplace();
    } else if (entry.kind != YamlEntry::Kind::null) {
      problems_.add(origin + ": " + entry.path + ": expected a section of keys");
    } else if (entry.path == "mysql") {
      // Guessing SQLite here would put the data where nobody expects it.
      problems_.add(origin + ": mysql: expected keys; leave the line out to use SQLite");
    }
  }

  bool below_unknown(std::string_view path) const {
    return std::any_of(unknown_.begin(), unknown_.end(),
                       [&](const std::string& prefix) { return path.starts_with(prefix); });
  }

  Config& config_;
  Problems& problems_;
  const std::string name_;
  std::vector<std::string> unknown_;  // reported already, with a dot at the end
};

// "DEEPPOOL_SERVER__HTTP_ADDR" is "server.http_addr".
std::string path_of(std::string_view variable) {
  std::string path;
  for (size_t i = kPrefix.size(); i < variable.size(); ++i) {
    if (variable.substr(i).starts_with("__")) {
      path += '.';
      ++i;
    } else {
      path += base::lower(variable[i]);
    }
  }
  return path;
}

std::string variable_of(std::string_view path) {
  std::string variable(kPrefix);
  for (const char c : path) {
    if (c == '.') {
      variable += "__";
    } else {
      variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    }
  }
  return variable;
}

void take_variable(const std::string& name, const std::string& value, Config& config,
                   Problems& problems) {
  const std::string origin = "environment variable " + name;
  const std::string path = path_of(name);
  if (const LaterKey* later = find_later_key(path)) {
    // Lists are separated by commas; a section is given by the keys below it.
    if (path == later->path && later->form == LaterKey::Form::section) {
      problems.add(wrong_form(origin, *later));
      return;
    }
    config.warnings.push_back(not_used(origin, *later));
    return;
  }
  const ConfigKey* key = find_key(path);
  if (key == nullptr) {
    std::optional<std::string> near = nearest_key(path);
    if (near) near = variable_of(*near);
    problems.add(unknown_key(origin, path, near));
    return;
  }
  config.origins[path] = origin;
  if (!is_list(*key)) {
    if (!set_scalar(*key, config, value)) {
      problems.add(wrong_value(origin, *key, shown(*key, value)));
    }
    return;
  }
  std::vector<std::string> items;
  for (const std::string_view item : base::split(value, ',')) {
    if (!base::trim(item).empty()) items.emplace_back(base::trim(item));
  }
  if (!set_list(*key, config, std::move(items))) {
    problems.add(wrong_value(origin, *key, ", separated by commas" + shown(*key, value)));
  }
}

void take_environment(const Environment& environment, Config& config, Problems& problems) {
  for (const auto& [name, value] : environment) {
    const bool ours = name.starts_with(kPrefix);
    const bool setting =
        std::none_of(std::begin(kNotSettings), std::end(kNotSettings),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
    if (ours && setting) take_variable(name, value, config, problems);
  }
}

std::string variable(const Environment& environment, std::string_view upper,
                     std::string_view lower) {
  for (const std::string_view name : {upper, lower}) {
    const auto found = environment.find(name);
    if (found != environment.end() && !found->second.empty()) return found->second;
  }
  return "";
}

void take_proxy(const Environment& environment, Config& config, Problems& problems) {
  const std::string url = variable(environment, "HTTPS_PROXY", "https_proxy");
  if (url.empty()) return;
  auto proxy = http::parse_proxy(url, variable(environment, "NO_PROXY", "no_proxy"));
  if (proxy) {
    config.proxy = *std::move(proxy);
  } else {
    problems.add("environment variable HTTPS_PROXY: " + proxy.error().message);
  }
}

// What one key alone cannot tell.
void check_together(const Config& c, Problems& problems) {
  const TlsSettings& tls = c.server.tls;
  if (tls.enabled && (tls.cert_file.empty() || tls.key_file.empty())) {
    problems.add(c.place_of("server.tls.enabled") + ": expected cert_file and key_file beside it");
  }
  if (c.mysql && !c.mysql->ca_file.empty() && c.mysql->tls != "required") {
    problems.add(c.place_of("mysql.ca_file") +
                 ": expected mysql.tls to be \"required\"; without it no certificate is checked");
  }
  if (c.limits.request_body_mib > c.limits.bodies_mib_per_loop) {
    problems.add(c.place_of("limits.request_body_mib") +
                 ": expected at most limits.bodies_mib_per_loop (" +
                 std::to_string(c.limits.bodies_mib_per_loop) + ")");
  }
  const SuperAdmin& admin = c.admin.super_admin;
  if (base::iequals(admin.password, admin.username)) {
    problems.add(c.place_of("admin.super_admin.password") + ": expected another than the username");
  }
}

bool holds_secret(Config& config) {
  for (const ConfigKey& key : config_keys()) {
    if (key.shown != Shown::masked) continue;
    if (key.path.starts_with("mysql.") && !config.mysql) continue;
    const auto place = std::get<Place<std::string>>(key.slot);
    if (!place(config).empty()) return true;
  }
  return false;
}

Error cannot_read(const std::string& path, int code) {
  return Error(ErrorCode::invalid_request, path + ": cannot be read: " + std::strerror(code));
}

// At most one byte more than read_yaml accepts, so that it sees when the file is too large.
Result<std::string> read_file(const std::string& path, mode_t& mode) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return cannot_read(path, errno);
  struct stat st{};
  ::fstat(fd, &st);
  mode = st.st_mode;
  std::string text(kMaxConfigBytes + 1, '\0');
  size_t size = 0;
  ssize_t n = 0;
  while (size < text.size() && (n = ::read(fd, text.data() + size, text.size() - size)) > 0) {
    size += static_cast<size_t>(n);
  }
  const int code = errno;
  ::close(fd);
  if (n < 0) return cannot_read(path, code);
  text.resize(size);
  return text;
}

}  // namespace

std::string Config::place_of(std::string_view key) const {
  const auto given = origins.find(key);
  return (given == origins.end() ? "" : given->second + ": ") + std::string(key);
}

Environment current_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const size_t eq = pair.find('=');
    if (eq != std::string_view::npos) out.emplace(pair.substr(0, eq), pair.substr(eq + 1));
  }
  return out;
}

Result<Config> parse_config(std::string_view text, std::string_view name,
                            const Environment& environment) {
  Config config;
  Problems problems;
  auto entries = read_yaml(text);
  if (!entries) {
    return Error(ErrorCode::invalid_request, std::string(name) + ": " + entries.error().message);
  }
  FileReader reader(config, problems, name);
  for (const YamlEntry& entry : *entries) reader.take(entry);
  take_environment(environment, config, problems);
  take_proxy(environment, config, problems);
  check_together(config, problems);
  DP_CHECK(problems.result());
  return config;
}

Result<Config> load_config(const std::string& path, const Environment& environment) {
  if (path.empty()) return parse_config("", "defaults", environment);
  mode_t mode = 0;
  DP_TRY(const std::string text, read_file(path, mode));
  DP_TRY(Config config, parse_config(text, path, environment));
  auto from_file = parse_config(text, path, {});
  if ((mode & S_IROTH) != 0 && from_file && holds_secret(*from_file)) {
    config.warnings.push_back(path +
                              ": holds secrets and every user of this machine can read it; "
                              "chmod 600");
  }
  return config;
}

}  // namespace deeppool::platform
