// Services: every long-lived object of the platform, built top-down in the order in which they
// depend on each other, and destroyed in reverse. No registry, no locator: who needs something gets
// a reference here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adminapi/routes.h"
#include "apps/platform/config.h"
#include "apps/platform/configured_files.h"
#include "apps/platform/health.h"
#include "apps/platform/loop_thread.h"
#include "async/blocking_pool.h"
#include "async/turn_clock.h"
#include "base/clock.h"
#include "base/random.h"
#include "crypto/sealer.h"
#include "governance/applier/applier.h"
#include "governance/funds/funds.h"
#include "governance/spool/spool.h"
#include "governance/usage/usage_store.h"
#include "idempotency/book.h"
#include "idempotency/limits.h"
#include "identity/key_directory.h"
#include "identity/password_hasher.h"
#include "jobs/alert_job.h"
#include "jobs/config_refresh.h"
#include "jobs/endpoint_probe.h"
#include "jobs/idempotency_sweep.h"
#include "portalapi/guards.h"
#include "provider/catalog.h"
#include "ratelimit/inflight_limiter.h"
#include "ratelimit/limiter.h"
#include "sql/database.h"
#include "webapi/services.h"

namespace deeppool::platform {

inline constexpr const char* kVersion = "0.1.0";

class Services {
 public:
  // Reads the files that the configuration names, opens the store, brings its schema up to date,
  // applies what an earlier run left in the spool, loads keys and models. Errors say what to mend.
  static Result<std::unique_ptr<Services>> start(const Config& config);
  ~Services();

  // Opens the ports and serves on threads of its own until stop() or the end of this object.
  Result<void> serve();
  void stop();
  // Takes over what may change while serving: certificates, timeouts, log level. All or nothing;
  // what needs a restart is named in the log.
  Result<void> reload(const Config& fresh);
  // After log files were moved away.
  void reopen_logs();

 private:
  Services(const Config& config, ConfiguredFiles files);
  Result<void> open_store();
  Result<void> open_spool();
  Result<void> open_idempotency();
  Result<void> open_limits();
  Result<void> open_identity();
  Result<void> load_snapshots();
  Result<void> open_log();
  Result<void> make_loops();
  void watch_figures();
  void watch_shared_limits();
  void watch_readiness();
  void refreshed_now();
  adminapi::LiveFigures live_figures() const;
  governance::alerts::Targets alert_targets() const;
  http::Reach users_reach() const;
  std::vector<http::Route> routes_of(gateway::Parts& parts);

  const Config& config_;  // of the start; reload() changes what it may beside it
  seconds drain_grace_;
  const ConfiguredFiles files_;
  bool stopping_ = false;
  const async::TurnClock clock_;
  const base::SystemClock exact_clock_;
  metrics::Metrics metrics_;  // the database counts in it until its end
  base::SystemRandom random_;
  http::Proxy proxy_;
  http::TlsContexts tls_contexts_;
  std::optional<idempotency::Book> idempotency_book_;
  idempotency::Budget idempotency_budget_{idempotency::kMaxCapturedBytes};
  std::optional<gateway::IdempotencyDesk> idempotency_;
  std::optional<RedisParts> redis_;
  std::optional<ratelimit::Limiter> limiter_;
  ratelimit::InflightLimiter inflight_;
  std::unique_ptr<sql::Database> database_;
  std::optional<crypto::Sealer> sealer_;
  std::unique_ptr<governance::Spool> spool_;
  std::unique_ptr<governance::UsageStore> usage_;
  std::unique_ptr<governance::Applier> applier_;
  std::unique_ptr<governance::Funds> funds_;
  identity::KeyDirectory keys_;
  provider::CatalogDirectory catalog_;
  std::optional<routing::Router> models_router_;
  const provider::Adapters adapters_{clock_};
  provider::ShareBudget retries_{gateway::kRetryPercent, gateway::kRetryStock};
  std::optional<jobs::ConfigRefresh> refresh_;
  async::CancelScope background_;  // jobs on the first loop
  identity::PasswordHasher passwords_;
  std::optional<webapi::Services> webapi_;
  std::optional<setup::Outside> outside_;
  std::optional<portalapi::Guards> guards_;
  std::unique_ptr<http::AccessLogSink> access_log_;
  http::TrustedProxies trusted_proxies_;
  Readiness readiness_;
  std::optional<SharedParts> shared_;
  std::vector<std::unique_ptr<LoopThread>> loops_;
  // Jobs wake coroutines, so pools end before loops: declared after them.
  std::unique_ptr<async::BlockingPool> lookups_;
  std::unique_ptr<async::BlockingPool> store_pool_;
  std::unique_ptr<async::BlockingPool> log_pool_;
};

}  // namespace deeppool::platform
