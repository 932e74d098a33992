#include "apps/platform/services.h"

#include <filesystem>

#include "apps/platform/routes.h"
#include "base/log.h"
#include "sql/migrator/migrator.h"
#include "sql/mysql/mysql_database.h"
#include "sql/sqlite/sqlite_database.h"

namespace deeppool::platform {
namespace {

constexpr size_t kStoreThreads = 4;  // the number of SQLite readers; more would only queue there
constexpr size_t kStoreQueue = 256;  // administrators and refreshes; the hot path never waits here
constexpr size_t kLookupThreads = 2;
constexpr size_t kLookupQueue = 256;
constexpr auto kSpoolDrain = std::chrono::seconds(5);

sql::TlsPolicy tls_policy(const std::string& name) {
  if (name == "required") return sql::TlsPolicy::required;
  return name == "off" ? sql::TlsPolicy::off : sql::TlsPolicy::preferred;
}

Result<std::unique_ptr<sql::Database>> open_database(const Config& config) {
  if (!config.mysql) return sql::open_sqlite({.data_dir = config.data_dir});
  const MysqlSettings& m = *config.mysql;
  sql::MysqlOptions options;
  options.host = m.host;
  options.port = static_cast<uint16_t>(m.port);
  options.socket = m.socket;
  options.user = m.user;
  options.password = m.password;
  options.database = m.database;
  options.tls = tls_policy(m.tls);
  options.ca_file = m.ca_file;
  options.readers = static_cast<size_t>(m.readers);
  options.writers = static_cast<size_t>(m.writers);
  return sql::open_mysql(options);
}

// Beside the program in an installation (share/tokenizers), or where the configuration says.
std::string tokenizers_dir(const Config& config) {
  if (!config.tokenizers_dir.empty()) return config.tokenizers_dir;
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  return program.parent_path().parent_path() / "share" / "tokenizers";
}

size_t loop_count(const Config& config) {
  if (config.server.loops > 0) return static_cast<size_t>(config.server.loops);
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

Services::Services(const Config& config) : config_(config), limiter_(clock_) {}

Services::~Services() {
  stop();
  for (auto& loop : loops_) loop->join();
  // Jobs in the pools wake coroutines: the pools end while the loops still exist.
  lookups_.reset();
  store_pool_.reset();
  if (applier_ && !applier_->drain(clock_, base::Deadline::after(clock_, kSpoolDrain))) {
    log::warn("usage is left in the spool; the next start applies it");
  }
}

Result<std::unique_ptr<Services>> Services::start(const Config& config) {
  std::unique_ptr<Services> self(new Services(config));
  DP_CHECK(self->open_store());
  DP_CHECK(self->open_spool());
  DP_CHECK(self->load_snapshots());
  self->make_loops();
  return self;
}

Result<void> Services::open_store() {
  std::error_code failed;
  std::filesystem::create_directories(config_.data_dir, failed);
  DP_TRY(database_, open_database(config_));
  DP_TRY(const sql::MigrateOutcome migrated, sql::migrate(*database_));
  if (migrated.steps_done > 0) log::info("schema is up to date", {{"steps", migrated.steps_done}});
  const std::string& hex = config_.admin.api_key_encryption_key;
  auto key = hex.empty()
                 ? crypto::load_or_create_key(config_.data_dir + "/api_key_encryption.key", random_)
                 : crypto::SecretKey::from_hex(hex);
  if (!key) return std::move(key).error();
  sealer_.emplace(*key, random_);
  return {};
}

Result<void> Services::open_spool() {
  governance::SpoolSettings settings;
  settings.directory = std::filesystem::path(config_.data_dir) / "spool";
  settings.volatile_folder = config_.spool.allow_volatile ? governance::VolatileFolder::allow
                                                          : governance::VolatileFolder::refuse;
  DP_TRY(spool_, governance::Spool::open(settings, clock_, random_));
  usage_ = std::make_unique<governance::UsageStore>(*database_, spool_->instance());
  applier_ = std::make_unique<governance::Applier>(*spool_, *usage_);
  return applier_->recover();
}

Result<void> Services::load_snapshots() {
  DP_TRY(tokenizers_, llm::Tokenizers::load(tokenizers_dir(config_)));
  DP_CHECK(keys_.reload(*database_));
  DP_CHECK(catalog_.reload(*database_, *sealer_));
  log::info("loaded",
            {{"keys", keys_.current()->size()}, {"models", catalog_.current()->models().size()}});
  return {};
}

void Services::make_loops() {
  lookups_ = std::make_unique<async::BlockingPool>("lookup", kLookupThreads, kLookupQueue);
  store_pool_ = std::make_unique<async::BlockingPool>("store", kStoreThreads, kStoreQueue);
  const gateway::StreamTimeouts timeouts{config_.stream_timeouts.first_token,
                                         config_.stream_timeouts.inter_chunk_idle};
  shared_.emplace(SharedParts{clock_, random_, keys_, catalog_, *tokenizers_, limiter_, quota_,
                              *spool_, *lookups_, tls_contexts_, config_.proxy, timeouts});
  hooks_ = server_hooks(clock_, random_);
  http::ServerSettings settings;
  settings.max_connections = static_cast<size_t>(config_.limits.connections_per_loop);
  settings.max_body_bytes_in_flight = static_cast<size_t>(config_.limits.bodies_mib_per_loop) << 20;
  const LoopThread::RoutesOf routes = [](gateway::Parts& parts) { return gateway_routes(parts); };
  for (size_t i = 0; i < loop_count(config_); ++i) {
    loops_.push_back(
        std::make_unique<LoopThread>(static_cast<int>(i), *shared_, routes, hooks_, settings));
  }
}

Result<void> Services::serve() {
  DP_TRY(const async::Address address, async::Address::parse_listen(config_.server.http_addr));
  DP_CHECK(async::check_port_free(address));
  applier_->start();
  for (auto& loop : loops_) DP_CHECK(loop->start(address));
  return {};
}

void Services::stop() {
  for (auto& loop : loops_) loop->stop(config_.server.drain_grace);
}

}  // namespace deeppool::platform
