#include "apps/platform/config_keys.h"

#include <algorithm>
#include <array>

#include "apps/platform/limits.h"
#include "async/address.h"
#include "base/text.h"
#include "http/middleware/trusted_proxies.h"
#include "identity/account_rules.h"
#include "redis/server.h"

namespace deeppool::platform {
namespace {

using Text = Place<std::string>;
using Number = Place<int64_t>;
using Flag = Place<bool>;
using Seconds = Place<seconds>;
using List = Place<std::vector<std::string>>;

// Naming any key below `mysql` chooses MySQL.
MysqlSettings& mysql(Config& c) {
  if (!c.mysql) c.mysql.emplace();
  return *c.mysql;
}

bool is_listen_address(std::string_view s) {
  return async::Address::parse_listen(s).ok();
}
bool is_block(std::string_view s) {
  return http::AddressBlock::parse(s).has_value();
}
bool is_given(std::string_view s) {
  return !s.empty();
}
bool is_master_key(std::string_view s) {
  return s.empty() || (s.size() == 64 && base::hex_decode(s));
}
bool is_username(std::string_view s) {
  return identity::normal_username(s).ok();
}
bool is_email(std::string_view s) {
  return identity::normal_email(s).ok();
}
bool is_phone(std::string_view s) {
  return identity::check_phone(s).ok();
}
bool is_password(std::string_view s) {
  return s.empty() || identity::check_new_password(s, {}).ok();
}
bool is_redis_url(std::string_view s) {
  return s.empty() || redis::parse_url(s).ok();
}
bool is_token(std::string_view s) {
  return s.empty() || s.size() >= kMinMetricsToken;
}

const ConfigKey kKeys[] = {
    {.path = "server.http_addr",
     .slot = Text([](Config& c) -> auto& { return c.server.http_addr; }),
     .help = "Where to listen for HTTP.",
     .expected = "an address like \":8080\", \"127.0.0.1:8080\" or \"[::1]:8080\"",
     .accepts = is_listen_address},
    {.path = "server.tls.enabled",
     .slot = Flag([](Config& c) -> auto& { return c.server.tls.enabled; }),
     .help = "Speak HTTPS on http_addr."},
    {.path = "server.tls.cert_file",
     .slot = Text([](Config& c) -> auto& { return c.server.tls.cert_file; }),
     .help = "PEM file with the certificate and its chain.",
     .expected = "a file",
     .takes = Takes::reload},
    {.path = "server.tls.key_file",
     .slot = Text([](Config& c) -> auto& { return c.server.tls.key_file; }),
     .help = "PEM file with the private key.",
     .expected = "a file",
     .takes = Takes::reload},
    {.path = "server.loops",
     .slot = Number([](Config& c) -> auto& { return c.server.loops; }),
     .help = "Event loops, each with a thread of its own. 0: one per core.",
     .max = 256},
    {.path = "server.trusted_proxies",
     .slot = List([](Config& c) -> auto& { return c.server.trusted_proxies; }),
     .help = "Proxies whose X-Forwarded-For is believed. Nobody else's is.",
     .expected = "addresses or blocks like 127.0.0.1 or 10.0.0.0/8",
     .accepts = is_block},
    {.path = "server.drain_grace_seconds",
     .slot = Seconds([](Config& c) -> auto& { return c.server.drain_grace; }),
     .help = "How long running requests may go on after SIGTERM before they are cancelled.",
     .max = 3600,
     .takes = Takes::reload},
    {.path = "mysql.host",
     .slot = Text([](Config& c) -> auto& { return mysql(c).host; }),
     .help = "MySQL 8+ or MariaDB 10.11+. Without the section `mysql`, SQLite under data_dir.",
     .expected = "a host name or address",
     .accepts = is_given},
    {.path = "mysql.port",
     .slot = Number([](Config& c) -> auto& { return mysql(c).port; }),
     .help = "Its TCP port.",
     .min = 1,
     .max = 65535},
    {.path = "mysql.socket",
     .slot = Text([](Config& c) -> auto& { return mysql(c).socket; }),
     .help = "A local socket instead of host and port.",
     .expected = "a path"},
    {.path = "mysql.user",
     .slot = Text([](Config& c) -> auto& { return mysql(c).user; }),
     .help = "The database user."},
    {.path = "mysql.password",
     .slot = Text([](Config& c) -> auto& { return mysql(c).password; }),
     .help = "Its password.",
     .shown = Shown::masked},
    {.path = "mysql.database",
     .slot = Text([](Config& c) -> auto& { return mysql(c).database; }),
     .help = "The schema; it must exist.",
     .expected = "a name",
     .accepts = is_given},
    {.path = "mysql.tls",
     .slot = Text([](Config& c) -> auto& { return mysql(c).tls; }),
     .help = "`preferred` encrypts if the server can, unverified; `required` also verifies it.",
     .choices = "off, preferred, required"},
    {.path = "mysql.ca_file",
     .slot = Text([](Config& c) -> auto& { return mysql(c).ca_file; }),
     .help = "PEM file with the authority to trust under `required`. Empty: the system's.",
     .expected = "a file"},
    {.path = "mysql.readers",
     .slot = Number([](Config& c) -> auto& { return mysql(c).readers; }),
     .help = "Connections for reading, at most.",
     .min = 1,
     .max = 256},
    {.path = "mysql.writers",
     .slot = Number([](Config& c) -> auto& { return mysql(c).writers; }),
     .help = "Connections for writing, at most.",
     .min = 1,
     .max = 256},
    {.path = "redis.url",
     .slot = Text([](Config& c) -> auto& { return c.redis.url; }),
     .help = "Redis 6+ through which several programs share the limits of keys; `rediss://` "
             "encrypts. A database of its own. Empty: limits are counted in this program.",
     .expected = "a URL like redis://user:password@host:6379/0",
     .accepts = is_redis_url,
     .shown = Shown::masked},
    {.path = "redis.ca_file",
     .slot = Text([](Config& c) -> auto& { return c.redis.ca_file; }),
     .help = "PEM file with the authority to trust under `rediss://`. Empty: the system's.",
     .expected = "a file"},
    {.path = "data_dir",
     .slot = Text([](Config& c) -> auto& { return c.data_dir; }),
     .help = "Database, spool and generated keys. One running program per directory.",
     .expected = "a directory",
     .accepts = is_given},
    {.path = "tokenizers_dir",
     .slot = Text([](Config& c) -> auto& { return c.tokenizers_dir; }),
     .help = "Where the BPE rank files lie. Empty: those that came with the program.",
     .expected = "a directory"},
    {.path = "stream_timeouts.first_token_timeout_seconds",
     .slot = Seconds([](Config& c) -> auto& { return c.stream_timeouts.first_token; }),
     .help = "No first event within this time: the next candidate is tried.",
     .min = 1,
     .max = 600,
     .takes = Takes::reload},
    {.path = "stream_timeouts.inter_chunk_idle_timeout_seconds",
     .slot = Seconds([](Config& c) -> auto& { return c.stream_timeouts.inter_chunk_idle; }),
     .help = "No event for this long: the stream is continued elsewhere or ends with an error.",
     .min = 1,
     .max = 3600,
     .takes = Takes::reload},
    {.path = "failover.longest_retry_after_seconds",
     .slot = Seconds([](Config& c) -> auto& { return c.failover.longest_retry_after; }),
     .help = "How long a provider's Retry-After keeps requests away from an endpoint, at most.",
     .min = 1,
     .max = 3600,
     .takes = Takes::reload},
    {.path = "failover.whole_answer_timeout_seconds",
     .slot = Seconds([](Config& c) -> auto& { return c.failover.whole_answer; }),
     .help = "An answer that is not streamed has not come within this time: the next candidate is "
             "tried, if there is one.",
     .min = 1,
     .max = 299,
     .takes = Takes::reload},
    {.path = "admin.api_key_encryption_key",
     .slot = Text([](Config& c) -> auto& { return c.admin.api_key_encryption_key; }),
     .help = "Seals stored keys (AES-256-GCM). Empty: made at first start and kept in data_dir "
             "(mode 0600). Several programs on one database need the same.",
     .expected = "64 hexadecimal digits",
     .accepts = is_master_key,
     .shown = Shown::masked},
    {.path = "admin.default_hybrid_policy_path",
     .slot = Text([](Config& c) -> auto& { return c.admin.default_hybrid_policy_path; }),
     .help = "The routing policy (YAML) of hybrid models that have none. Empty: the child with the "
             "fewest requests at once.",
     .expected = "a file"},
    {.path = "admin.super_admin.username",
     .slot = Text([](Config& c) -> auto& { return c.admin.super_admin.username; }),
     .help = "The administrator made at first start.",
     .expected = "2 to 32 letters, digits, dots, underscores or hyphens, a letter or digit first",
     .accepts = is_username},
    {.path = "admin.super_admin.password",
     .slot = Text([](Config& c) -> auto& { return c.admin.super_admin.password; }),
     .help = "Empty: made up at first start and shown once.",
     .expected = "8 to 72 bytes",
     .accepts = is_password,
     .shown = Shown::masked},
    {.path = "admin.super_admin.phone",
     .slot = Text([](Config& c) -> auto& { return c.admin.super_admin.phone; }),
     .help = "The administrator's phone number.",
     .expected = "at most 32 digits, spaces and + - ( )",
     .accepts = is_phone},
    {.path = "admin.super_admin.email",
     .slot = Text([](Config& c) -> auto& { return c.admin.super_admin.email; }),
     .help = "The administrator's e-mail address.",
     .expected = "an e-mail address",
     .accepts = is_email},
    {.path = "limits.request_body_mib",
     .slot = Number([](Config& c) -> auto& { return c.limits.request_body_mib; }),
     .help = "The largest request body, in MiB. Beyond it: 413.",
     .min = 1,
     .max = 1024},
    {.path = "limits.bodies_mib_per_loop",
     .slot = Number([](Config& c) -> auto& { return c.limits.bodies_mib_per_loop; }),
     .help = "Request bodies held in memory by one event loop, in MiB. Beyond it: 503.",
     .min = 16,
     .max = 65536},
    {.path = "limits.connections_per_loop",
     .slot = Number([](Config& c) -> auto& { return c.limits.connections_per_loop; }),
     .help = "Open connections of callers on one event loop.",
     .min = 16,
     .max = 1'000'000},
    {.path = "log_level",
     .slot = Text([](Config& c) -> auto& { return c.log_level; }),
     .help = "What the log on stderr says.",
     .choices = "debug, info, warn, error, off",
     .takes = Takes::reload},
    {.path = "access_log",
     .slot = Text([](Config& c) -> auto& { return c.access_log; }),
     .help = "One JSON line per request: `stdout`, `stderr`, `off`, or a file (SIGHUP and SIGUSR1 "
             "reopen it).",
     .expected = "stdout, stderr, off or a file",
     .accepts = is_given},
    {.path = "metrics.token",
     .slot = Text([](Config& c) -> auto& { return c.metrics.token; }),
     .help = "Bearer token for /metrics. Empty: only scrapers on this machine.",
     .expected = "at least 16 characters",
     .accepts = is_token,
     .shown = Shown::masked},
    {.path = "spool.allow_volatile",
     .slot = Flag([](Config& c) -> auto& { return c.spool.allow_volatile; }),
     .help = "Start although data_dir lies on a file system that a reboot empties (tmpfs)."},
    {.path = "alerts.allow_private_targets",
     .slot = Flag([](Config& c) -> auto& { return c.alerts.allow_private_targets; }),
     .help =
         "Let users' alert webhooks lead anywhere this machine can reach, private addresses and "
         "plain http included. Off: https to public addresses only."},
    {.path = "custom_models.allow_private_targets",
     .slot = Flag([](Config& c) -> auto& { return c.custom_models.allow_private_targets; }),
     .help =
         "Let provider endpoints that users enter lead anywhere this machine can reach, private "
         "addresses and plain http included. Off: https to public addresses only."},
};

constexpr LaterKey kLaterKeys[] = {
    {"server.grpc_addr", "internal calls", LaterKey::Form::text},
    {"admin.internal_token", "internal calls", LaterKey::Form::text},
    {"admin.node_managers", "the device pool", LaterKey::Form::list},
    {"admin.experiment_servers", "judges and datasets", LaterKey::Form::list},
    {"admin.smtp", "verification codes by e-mail", LaterKey::Form::section},
    {"admin.payment", "payments", LaterKey::Form::section},
    {"nodemanager", "the device pool", LaterKey::Form::section},
    {"experiment", "judges and datasets", LaterKey::Form::section},
    {"web", "the web consoles", LaterKey::Form::section},
};

bool below(std::string_view path, std::string_view section) {
  return path.size() > section.size() && path.starts_with(section) && path[section.size()] == '.';
}

bool in_range(const ConfigKey& key, int64_t v) {
  return v >= key.min && v <= key.max;
}

bool accepts_text(const ConfigKey& key, std::string_view text) {
  // A line break or NUL inside a name, path or password is a slip of an editor or an injection.
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (control || !base::valid_utf8(text)) return false;
  if (!key.choices.empty()) {
    const auto choices = base::split(key.choices, ',');
    return std::any_of(choices.begin(), choices.end(),
                       [&](std::string_view c) { return base::trim(c) == text; });
  }
  return key.accepts == nullptr || key.accepts(text);
}

}  // namespace

std::span<const ConfigKey> config_keys() {
  return kKeys;
}

const ConfigKey* find_key(std::string_view path) {
  const auto* found = std::find_if(std::begin(kKeys), std::end(kKeys),
                                   [&](const ConfigKey& k) { return k.path == path; });
  return found == std::end(kKeys) ? nullptr : found;
}

std::span<const LaterKey> later_keys() {
  return kLaterKeys;
}

const LaterKey* find_later_key(std::string_view path) {
  for (const LaterKey& key : kLaterKeys) {
    if (path == key.path || below(path, key.path)) return &key;
  }
  return nullptr;
}

bool is_section(std::string_view path) {
  return std::any_of(std::begin(kKeys), std::end(kKeys),
                     [&](const ConfigKey& k) { return below(k.path, path); }) ||
         std::any_of(std::begin(kLaterKeys), std::end(kLaterKeys),
                     [&](const LaterKey& k) { return below(k.path, path); });
}

std::string expectation(const ConfigKey& key) {
  if (!key.choices.empty()) return "one of " + std::string(key.choices);
  if (std::holds_alternative<Flag>(key.slot)) return "true or false";
  if (is_list(key)) return "a list of " + std::string(key.expected);
  const bool is_seconds = std::holds_alternative<Seconds>(key.slot);
  if (!is_seconds && !std::holds_alternative<Number>(key.slot)) return std::string(key.expected);
  return std::string(is_seconds ? "whole seconds" : "a whole number") + " from " +
         std::to_string(key.min) + " to " + std::to_string(key.max);
}

std::vector<std::string_view> waiting_for_restart(Config running, Config fresh) {
  std::vector<std::string_view> paths;
  if (running.mysql.has_value() != fresh.mysql.has_value()) paths.push_back("mysql");
  for (const ConfigKey& key : kKeys) {
    if (key.takes == Takes::reload) continue;
    const bool same =
        std::visit([&](auto place) { return place(running) == place(fresh); }, key.slot);
    if (!same) paths.push_back(key.path);
  }
  return paths;
}

bool is_list(const ConfigKey& key) {
  return std::holds_alternative<List>(key.slot);
}

bool set_scalar(const ConfigKey& key, Config& config, std::string_view text) {
  if (const auto* place = std::get_if<Text>(&key.slot)) {
    if (!accepts_text(key, text)) return false;
    (*place)(config) = text;
    return true;
  }
  if (const auto* place = std::get_if<Flag>(&key.slot)) {
    if (text != "true" && text != "false") return false;
    (*place)(config) = text == "true";
    return true;
  }
  const auto number = base::parse_int<int64_t>(text);
  if (!number || !in_range(key, *number)) return false;
  if (const auto* place = std::get_if<Number>(&key.slot)) (*place)(config) = *number;
  if (const auto* place = std::get_if<Seconds>(&key.slot)) (*place)(config) = seconds(*number);
  return !is_list(key);
}

bool set_list(const ConfigKey& key, Config& config, std::vector<std::string> items) {
  for (const std::string& item : items) {
    if (!accepts_text(key, item)) return false;
  }
  std::get<List>(key.slot)(config) = std::move(items);
  return true;
}

}  // namespace deeppool::platform
