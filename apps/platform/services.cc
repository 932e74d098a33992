#include "apps/platform/services.h"

#include <cstdio>
#include <filesystem>

#include "apps/platform/config_keys.h"
#include "apps/platform/endpoint_metrics.h"
#include "apps/platform/metrics_endpoint.h"
#include "apps/platform/routes.h"
#include "apps/platform/store.h"
#include "base/log.h"
#include "identity/first_admin.h"
#include "portalapi/routes.h"
#include "sql/migrator/migrator.h"

namespace deeppool::platform {
namespace {

gateway::StreamTimeouts timeouts_of(const Config& config) {
  return {config.stream_timeouts.first_token, config.stream_timeouts.inter_chunk_idle,
          config.failover.longest_retry_after, config.failover.whole_answer};
}

constexpr size_t kStoreThreads = 4;  // the number of SQLite readers; more would only queue there
constexpr size_t kStoreQueue = 256;  // administrators and refreshes; the hot path never waits here
constexpr size_t kLookupThreads = 2;
constexpr size_t kLookupQueue = 256;
constexpr size_t kScrapes = 8;  // of /metrics, waiting for the log thread
constexpr auto kSpoolDrain = std::chrono::seconds(5);

size_t loop_count(const Config& config) {
  if (config.server.loops > 0) return static_cast<size_t>(config.server.loops);
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

Services::Services(const Config& config, ConfiguredFiles files)
    : config_(config),
      drain_grace_(config.server.drain_grace),
      files_(std::move(files)),
      metrics_(loop_count(config), kVersion, clock_),
      proxy_(config.proxy),
      passwords_(random_) {}

Services::~Services() {
  stop();
  for (auto& loop : loops_) loop->join();
  // Jobs in the pools wake coroutines: the pools end while the loops still exist.
  lookups_.reset();
  store_pool_.reset();
  log_pool_.reset();
  if (funds_) funds_->end_refills();
  if (applier_ && !applier_->drain(clock_, base::Deadline::after(clock_, kSpoolDrain))) {
    log::warn("usage is left in the spool; the next start applies it");
    return;
  }
  if (loops_.empty()) return;
  if (const auto released = funds_->release(); !released) {
    log::warn("leases of funds stay until the next start", {{"detail", released.error().detail}});
  }
}

Result<std::unique_ptr<Services>> Services::start(const Config& config) {
  DP_TRY(ConfiguredFiles files, load_files(config));
  std::unique_ptr<Services> self(new Services(config, std::move(files)));
  DP_CHECK(self->open_store());
  DP_CHECK(self->open_spool());
  DP_CHECK(self->open_idempotency());
  DP_CHECK(self->open_limits());
  DP_CHECK(self->load_snapshots());
  DP_CHECK(self->open_log());
  DP_CHECK(self->make_loops());
  DP_CHECK(self->open_identity());
  return self;
}

Result<void> Services::open_store() {
  DP_TRY(database_, open_database(config_));
  database_->observe([this](base::Duration took) { metrics_.db_queries().observe_shared(took); });
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
  DP_CHECK(applier_->recover());
  // What earlier runs had leased goes back now that all they used is posted.
  funds_ = std::make_unique<governance::Funds>(*database_, spool_->instance(), clock_);
  return funds_->claim();
}

// After the spool, which makes sure that no other program uses our name.
Result<void> Services::open_idempotency() {
  idempotency_book_.emplace(*database_, *sealer_, spool_->instance());
  DP_TRY(const int64_t released, idempotency_book_->release_own());
  if (released > 0) log::info("idempotency keys of cut requests are free", {{"keys", released}});
  return {};
}

// Over Redis the spool's name of this instance is ours as well: both live as long as data_dir.
Result<void> Services::open_limits() {
  if (config_.redis.url.empty()) {
    limiter_.emplace(exact_clock_);
    return {};
  }
  DP_TRY(const redis::Server server, redis::parse_url(config_.redis.url));
  redis_.emplace(server, files_.redis_tls, clock_, spool_->instance().to_string());
  limiter_.emplace(exact_clock_, redis_->fleet);
  return {};
}

// The first administrator's generated password is shown once, on the terminal, never in the log.
// Last of all, or a start that fails later would have shown it to nobody who looks.
Result<void> Services::open_identity() {
  const SuperAdmin& admin = config_.admin.super_admin;
  DP_TRY(const std::optional<identity::FirstAdmin> made,
         identity::ensure_admin({*database_, clock_, random_}, {.username = admin.username,
                                                                .password = admin.password,
                                                                .phone = admin.phone,
                                                                .email = admin.email}));
  if (made && made->generated_password) {
    std::fprintf(stderr,
                 "The first administrator was made. The password is shown only this once:\n"
                 "  username: %s\n  password: %s\n",
                 made->username.c_str(), made->generated_password->c_str());
  }
  return {};
}

Result<void> Services::load_snapshots() {
  models_router_.emplace(files_.default_policy);
  refresh_.emplace(
      jobs::RefreshTargets{*database_, *sealer_, keys_, catalog_, *models_router_, *funds_});
  DP_CHECK(refresh_->refresh());
  log::info("loaded",
            {{"keys", keys_.current()->size()}, {"models", catalog_.current()->models().size()}});
  return {};
}

Result<void> Services::open_log() {
  DP_TRY(access_log_, http::AccessLogSink::open(config_.access_log));
  DP_TRY(trusted_proxies_, http::TrustedProxies::parse(config_.server.trusted_proxies));
  return {};
}

Result<void> Services::make_loops() {
  const size_t count = loop_count(config_);
  lookups_ = std::make_unique<async::BlockingPool>("lookup", kLookupThreads, kLookupQueue);
  store_pool_ = std::make_unique<async::BlockingPool>("store", kStoreThreads, kStoreQueue);
  log_pool_ = std::make_unique<async::BlockingPool>("log", 1, count + kScrapes);
  idempotency_.emplace(*idempotency_book_, idempotency_budget_, *store_pool_);
  watch_figures();
  watch_readiness();
  shared_.emplace(SharedParts{clock_,
                              random_,
                              keys_,
                              catalog_,
                              *models_router_,
                              adapters_,
                              files_.tokenizers,
                              *limiter_,
                              inflight_,
                              *funds_,
                              *spool_,
                              retries_,
                              *lookups_,
                              tls_contexts_,
                              proxy_,
                              http::Reach::public_only,
                              users_reach(),
                              timeouts_of(config_),
                              metrics_,
                              *log_pool_,
                              *access_log_,
                              trusted_proxies_,
                              *idempotency_,
                              redis_ ? &*redis_ : nullptr});
  guards_.emplace(clock_);
  webapi_.emplace(webapi::Services{*database_, *store_pool_, clock_, random_, *sealer_, passwords_,
                                   [this] { refreshed_now(); }});
  outside_.emplace(setup::Outside{*lookups_, tls_contexts_, proxy_, adapters_});
  http::ServerSettings settings;
  settings.max_connections = static_cast<size_t>(config_.limits.connections_per_loop);
  settings.max_body_bytes_in_flight = static_cast<size_t>(config_.limits.bodies_mib_per_loop) << 20;
  settings.tls = files_.tls;
  const LoopThread::RoutesOf routes = [this](gateway::Parts& parts) { return routes_of(parts); };
  for (size_t i = 0; i < count; ++i) {
    loops_.push_back(
        std::make_unique<LoopThread>(i, *shared_, routes, shared_hooks(*webapi_), settings));
  }
  return {};
}

std::vector<http::Route> Services::routes_of(gateway::Parts& parts) {
  std::vector<http::Route> all =
      gateway_routes(parts, static_cast<size_t>(config_.limits.request_body_mib) << 20);
  const auto add = [&all](std::vector<http::Route> more) {
    for (http::Route& route : more) all.push_back(std::move(route));
  };
  add(health_routes(readiness_, kVersion));
  all.push_back(metrics_route(metrics_, *log_pool_, config_.metrics.token));
  add(portalapi::routes(
      {*webapi_, catalog_, *guards_, *models_router_, *usage_, alert_targets(), users_reach()}));
  add(adminapi::routes(
      {*webapi_, keys_, catalog_, *usage_, [this] { return live_figures(); }, *outside_}));
  return all;
}

// A failure is logged by the refresh itself and mended by its next poll.
void Services::refreshed_now() {
  Result<void> done = refresh_->refresh();
  (void)done;
}

void Services::watch_readiness() {
  readiness_.add("store", [this] {
    return applier_->backlog().store_down ? std::string("the database cannot be reached")
                                          : std::string();
  });
  readiness_.add("spool", [this] {
    return spool_->accepting() ? std::string()
                               : std::string("usage cannot be recorded: disk full?");
  });
  if (redis_) {
    readiness_.add_note("limits", [this] {
      return redis_->fleet.view().mode == ratelimit::Mode::shared
                 ? std::string()
                 : std::string("limits are not shared: Redis is out of reach or was emptied");
    });
  }
}

// Figures that others keep.
void Services::watch_figures() {
  const auto number = [](auto v) { return static_cast<double>(v); };
  metrics_.add_gauge("spool_backlog_bytes", "Spool bytes that are not in the store yet.",
                     [=, this] { return number(applier_->backlog().bytes); });
  metrics_.add_gauge("spool_open_holds", "Requests in flight, as the spool knows them.",
                     [=, this] { return number(applier_->backlog().open_holds); });
  metrics_.add_counter("spool_applied_total", "Final records applied to the store.",
                       [=, this] { return number(applier_->backlog().applied); });
  metrics_.add_gauge("spool_accepting", "1 while new billable work is accepted.",
                     [=, this] { return spool_->accepting() ? 1.0 : 0.0; });
  metrics_.add_gauge("store_down", "1 while the applier cannot reach the store.",
                     [=, this] { return applier_->backlog().store_down ? 1.0 : 0.0; });
  metrics_.add_gauge("retry_budget", "Second asks that are left (see docs/failover.md).",
                     [=, this] { return number(retries_.left()); });
  metrics_.add_families([this](metrics::Exposition& out) {
    write_endpoint_metrics(out, *catalog_.current(), clock_.now());
  });
  watch_shared_limits();
  metrics_.add_counter("access_log_dropped_total", "Access log lines dropped.",
                       [=, this] { return number(access_log_->dropped()); });
  metrics_.add_counter("log_dropped_total", "Log lines dropped.",
                       [=] { return number(log::dropped()); });
}

void Services::watch_shared_limits() {
  if (!redis_) return;
  const auto number = [](auto v) { return static_cast<double>(v); };
  const ratelimit::Fleet& fleet = redis_->fleet;
  metrics_.add_gauge("ratelimit_shared", "1 while limits are shared over Redis, 0 while alone.",
                     [&] { return fleet.view().mode == ratelimit::Mode::shared ? 1.0 : 0.0; });
  metrics_.add_gauge("ratelimit_instances", "Instances that share limits, as last known.",
                     [=, &fleet] { return number(fleet.view().instances); });
  metrics_.add_counter("ratelimit_leases_total", "Calls to Redis for allowance.",
                       [=, &fleet] { return number(fleet.counters.leases.load()); });
  metrics_.add_counter("ratelimit_redis_failures_total", "Calls of Redis without a useful answer.",
                       [=, &fleet] { return number(fleet.counters.failures.load()); });
  metrics_.add_counter("ratelimit_uncovered_total", "Requests refused because Redis was late.",
                       [=, &fleet] { return number(fleet.counters.uncovered.load()); });
}

adminapi::LiveFigures Services::live_figures() const {
  adminapi::LiveFigures live;
  if (redis_) {
    const ratelimit::FleetView view = redis_->fleet.view();
    live.limits = view.mode == ratelimit::Mode::shared ? adminapi::LimitsMode::shared
                                                       : adminapi::LimitsMode::degraded;
    live.instances = view.instances;
  }
  live.requests_in_flight = metrics_.in_flight();
  for (const auto& loop : loops_) live.connections += loop->connections();
  return live;
}

governance::alerts::Targets Services::alert_targets() const {
  return config_.alerts.allow_private_targets ? governance::alerts::Targets::anywhere
                                              : governance::alerts::Targets::public_only;
}

http::Reach Services::users_reach() const {
  return config_.custom_models.allow_private_targets ? http::Reach::anywhere
                                                     : http::Reach::public_only;
}

Result<void> Services::serve() {
  DP_TRY(const async::Address address, async::Address::parse_listen(config_.server.http_addr));
  DP_CHECK(async::check_port_free(address));
  applier_->start();
  for (auto& loop : loops_) DP_CHECK(loop->start(address));
  readiness_.start();
  LoopThread& first = *loops_.front();
  const auto one_of_all = [this](std::string_view job, base::Duration life) {
    return jobs::JobLease(*database_, job, spool_->instance().to_string(), life);
  };
  first.post([this, &first, one_of_all] {
    first.background().spawn(refresh_->run(*store_pool_, background_));
    first.background().spawn(funds_->upkeep(background_));
    first.background().spawn(jobs::sweep_idempotency_keys(
        *idempotency_book_, one_of_all("idempotency_sweep", 2 * idempotency::kSweepInterval),
        *store_pool_, background_));
    first.background().spawn(jobs::probe_endpoints(
        {catalog_, *lookups_, tls_contexts_, proxy_, clock_, random_}, background_));
    first.background().spawn(jobs::watch_alerts({*database_, *store_pool_, *lookups_, tls_contexts_,
                                                 proxy_, *sealer_, clock_, alert_targets()},
                                                one_of_all("alerts", jobs::kAlertLease),
                                                background_));
  });
  return {};
}

void Services::stop() {
  if (stopping_ || loops_.empty()) return;
  stopping_ = true;
  readiness_.stop();
  loops_.front()->post([this] { background_.cancel(async::CancelReason::shutting_down); });
  for (auto& loop : loops_) loop->stop(drain_grace_);
}

Result<void> Services::reload(const Config& fresh) {
  DP_TRY(const std::shared_ptr<const async::TlsContext> tls, server_tls(fresh));
  for (const std::string_view path : waiting_for_restart(config_, fresh)) {
    log::warn("a changed key takes a restart", {{"key", path}});
  }
  drain_grace_ = fresh.server.drain_grace;
  const gateway::StreamTimeouts timeouts = timeouts_of(fresh);
  for (auto& loop : loops_) {
    LoopThread* l = loop.get();
    l->post([l, tls, timeouts] {
      if (tls) l->server().set_tls(tls);
      l->set_timeouts(timeouts);
    });
  }
  log::set_level(fresh.log_level);
  return {};
}

void Services::reopen_logs() {
  if (Result<void> done = access_log_->reopen(); !done) {
    log::warn("the access log could not be opened again", {{"detail", done.error().message}});
  }
}

}  // namespace deeppool::platform
