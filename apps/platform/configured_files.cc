#include "apps/platform/configured_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "redis/server.h"
#include "routing/router.h"

namespace deeppool::platform {
namespace {

Error at_key(const Config& config, std::string_view key, Error error) {
  return Error(ErrorCode::invalid_request, config.place_of(key) + ": " + error.message,
               std::move(error.detail));
}

// Beside the program in an installation (share/tokenizers), or where the configuration says.
std::string tokenizers_dir(const Config& config) {
  if (!config.tokenizers_dir.empty()) return config.tokenizers_dir;
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  return program.parent_path().parent_path() / "share" / "tokenizers";
}

Result<std::shared_ptr<const async::TlsContext>> authorities(const Config& config,
                                                             std::string_view key,
                                                             const std::string& file) {
  auto loaded = async::TlsContext::client(file);
  if (!loaded) return at_key(config, key, std::move(loaded).error());
  return loaded;
}

// Null without TLS.
Result<std::shared_ptr<const async::TlsContext>> redis_tls(const Config& config) {
  if (config.redis.url.empty()) return std::shared_ptr<const async::TlsContext>();
  DP_TRY(const redis::Server server, redis::parse_url(config.redis.url));
  if (server.security == redis::Server::Security::plain) {
    return std::shared_ptr<const async::TlsContext>();
  }
  return authorities(config, "redis.ca_file", config.redis.ca_file);
}

// For hybrids without one of their own.
Result<std::string> default_policy(const Config& config) {
  constexpr std::string_view kKey = "admin.default_hybrid_policy_path";
  const std::string& path = config.admin.default_hybrid_policy_path;
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    return at_key(config, kKey, Error(ErrorCode::invalid_request, "cannot read " + path));
  }
  if (Result<void> sound = routing::check_default_policy(text); !sound) {
    sound.error().message = path + ": " + sound.error().message;
    return at_key(config, kKey, std::move(sound).error());
  }
  return text;
}

}  // namespace

Result<std::shared_ptr<const async::TlsContext>> server_tls(const Config& config) {
  const TlsSettings& tls = config.server.tls;
  if (!tls.enabled) return std::shared_ptr<const async::TlsContext>();
  auto loaded = async::TlsContext::server(tls.cert_file, tls.key_file);
  if (loaded) return loaded;
  const std::string key = loaded.error().param;
  return at_key(config, key, std::move(loaded).error());
}

Result<ConfiguredFiles> load_files(const Config& config) {
  DP_TRY(auto tls, server_tls(config));
  DP_TRY(auto to_redis, redis_tls(config));
  if (config.mysql && !config.mysql->ca_file.empty()) {
    DP_CHECK(authorities(config, "mysql.ca_file", config.mysql->ca_file));
  }
  DP_TRY(std::string policy, default_policy(config));
  auto tokenizers = llm::Tokenizers::load(tokenizers_dir(config));
  if (!tokenizers) return at_key(config, "tokenizers_dir", std::move(tokenizers).error());
  return ConfiguredFiles{std::move(tls), std::move(to_redis), *std::move(tokenizers),
                         std::move(policy)};
}

}  // namespace deeppool::platform
