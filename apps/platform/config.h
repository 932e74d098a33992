// Configuration of the server programs: one small settings struct per concern, filled once at start
// from a YAML file and the environment (environment wins). Read-only afterwards. Domain code gets
// its own struct, never the whole Config. The keys, their ranges and their help are one table in
// config_keys.cc; the defaults are the initialisers here.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "http/client/origin.h"
#include "sql/limits.h"

namespace deeppool::platform {

using std::chrono::seconds;

struct TlsSettings {
  bool enabled = false;
  std::string cert_file;  // PEM, the whole chain
  std::string key_file;   // PEM
};

struct ServerSettings {
  std::string http_addr = ":8080";
  TlsSettings tls;
  int64_t loops = 0;                         // event loops; 0: one per core
  std::vector<std::string> trusted_proxies;  // addresses or CIDR blocks
  seconds drain_grace{30};
};

struct MysqlSettings {
  std::string host = "127.0.0.1";
  int64_t port = 3306;
  std::string socket;
  std::string user = "root";
  std::string password;
  std::string database = "deeppool";
  std::string tls = "preferred";  // off, preferred, required
  std::string ca_file;
  int64_t readers = static_cast<int64_t>(sql::kMysqlReaders);
  int64_t writers = static_cast<int64_t>(sql::kMysqlWriters);
};

struct RedisSettings {
  std::string url;      // empty: limits are this process's own
  std::string ca_file;  // for rediss://; empty: the system's
};

struct StreamTimeouts {
  seconds first_token{10};
  seconds inter_chunk_idle{20};
};

struct Failover {
  seconds longest_retry_after{60};
  seconds whole_answer{240};
};

struct SuperAdmin {
  std::string username = "admin";
  std::string password;  // empty: made up at first start and shown once
  std::string phone;
  std::string email;
};

struct AdminSettings {
  std::string api_key_encryption_key;  // 64 hex digits; empty: kept in data_dir
  SuperAdmin super_admin;
  std::string default_hybrid_policy_path;  // empty: least-inflight over all children
};

struct LimitSettings {
  int64_t request_body_mib = 64;      // of one request
  int64_t bodies_mib_per_loop = 512;  // of all requests being read or served
  int64_t connections_per_loop = 100'000;
};

struct MetricsSettings {
  std::string token;  // empty: only local scrapers
};

struct SpoolSettings {
  bool allow_volatile = false;
};

struct AlertSettings {
  bool allow_private_targets = false;
};

struct CustomModelSettings {
  bool allow_private_targets = false;
};

struct Config {
  ServerSettings server;
  std::optional<MysqlSettings> mysql;  // absent: SQLite under data_dir
  RedisSettings redis;
  std::string data_dir = "./data";
  std::string tokenizers_dir;  // empty: the ones that came with the program
  StreamTimeouts stream_timeouts;
  Failover failover;
  AdminSettings admin;
  LimitSettings limits;
  std::string log_level = "info";
  std::string access_log = "stdout";  // stdout, stderr, off or a file
  MetricsSettings metrics;
  SpoolSettings spool;
  AlertSettings alerts;
  CustomModelSettings custom_models;

  http::Proxy proxy;                  // HTTPS_PROXY and NO_PROXY
  std::vector<std::string> warnings;  // to be logged once, by whoever loaded it
  std::map<std::string, std::string, std::less<>>
      origins;  // of given keys: file and line, variable
  // "deeppool.yaml:7: tokenizers_dir", or the key alone if nobody gave it.
  std::string place_of(std::string_view key) const;
};

using Environment = std::map<std::string, std::string, std::less<>>;
Environment current_environment();

// Reads `path` (empty: defaults and environment only) and the DEEPPOOL_ variables of `environment`.
// Errors: invalid_request whose message has one line per problem, each with file and line or the
// variable, the key and what was expected. Secrets are never repeated.
Result<Config> load_config(const std::string& path, const Environment& environment);

// The same over text; `name` stands for the file in messages.
Result<Config> parse_config(std::string_view text, std::string_view name,
                            const Environment& environment);

}  // namespace deeppool::platform
