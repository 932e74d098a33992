#include "apps/platform/loop_thread.h"

#include "base/thread_name.h"
#include "gateway/admission.h"

namespace deeppool::platform {
namespace {

// After the last request, for tails of upstream bodies; they have deadlines of their own.
constexpr auto kBackgroundGrace = std::chrono::seconds(2);

std::unique_ptr<SharedLimits> shared_limits(async::Loop& loop, size_t index, SharedParts& shared) {
  if (shared.redis == nullptr) return nullptr;
  const auto duty =
      index == 0 ? SharedLimits::Duty::requests_and_heartbeat : SharedLimits::Duty::requests;
  return std::make_unique<SharedLimits>(loop, shared.lookups, *shared.redis, shared.limiter, duty);
}

}  // namespace

LoopThread::LoopThread(size_t index, SharedParts& shared, const RoutesOf& routes,
                       http::ServerHooks hooks, http::ServerSettings settings)
    : background_(loop_),
      client_(loop_, shared.lookups, shared.tls_contexts, shared.proxy),
      fetcher_(loop_, shared.lookups, shared.tls_contexts, shared.proxy, shared.fetch_reach),
      users_client_(loop_, shared.lookups, shared.tls_contexts, shared.proxy, shared.users_reach),
      shared_limits_(shared_limits(loop_, index, shared)),
      writer_(shared.spool.writer(static_cast<int>(index), governance::WriteWhen::flushed)),
      parts_{.clock = shared.clock,
             .random = shared.random,
             .keys = shared.keys,
             .catalog = shared.catalog,
             .router = shared.router,
             .adapters = shared.adapters,
             .tokenizers = shared.tokenizers,
             .limiter = shared.limiter,
             .inflight = shared.inflight,
             .funds = shared.funds,
             .spool = shared.spool,
             .retries = shared.retries,
             .timeouts = shared.timeouts,
             .idempotency = &shared.idempotency,
             .writer = *writer_,
             .client = client_,
             .fetcher = fetcher_,
             .users_client = users_client_,
             .background = background_,
             .leases = shared_limits_ ? &shared_limits_->desk() : nullptr,
             .metrics = shared.metrics.loop(index)},
      access_log_({loop_, shared.log_pool, shared.access_log, shared.clock}),
      stack_({shared.clock, shared.random, shared.trusted_proxies, access_log_,
              shared.metrics.loop(index)}),
      hooks_(std::move(hooks)),
      router_(routes(parts_)),
      server_(loop_, router_, hooks_, std::move(settings)),
      control_(loop_) {
  loop_.post([index] { base::name_this_thread("loop " + std::to_string(index)); });
  stack_.install(hooks_);
  hooks_.may_send_body = [this](http::Exchange& x) { return gateway::check_key(parts_, x); };
  // A hold before its request's first byte goes out, a bill before its answer's last.
  loop_.before_turn_end([this] { writer_->flush(); });
}

LoopThread::~LoopThread() {
  join();
}

Result<void> LoopThread::start(const async::Address& address) {
  DP_TRY([[maybe_unused]] const uint16_t port, server_.listen(address));
  if (shared_limits_) loop_.post([this] { shared_limits_->start(); });
  thread_ = std::thread([this] { loop_.run(); });
  return {};
}

Task<void> LoopThread::wind_down(base::Duration grace) {
  co_await server_.drain(grace);
  co_await background_.join({loop_.now() + kBackgroundGrace});
  if (shared_limits_) co_await shared_limits_->close();
  co_await access_log_.close();
  loop_.stop();
}

void LoopThread::stop(base::Duration grace) {
  loop_.post([this, grace] { control_.spawn(wind_down(grace)); });
}

void LoopThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace deeppool::platform
