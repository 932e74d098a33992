#include "apps/platform/loop_thread.h"

namespace deeppool::platform {
namespace {

// After the last request, for tails of upstream bodies; they have deadlines of their own.
constexpr auto kBackgroundGrace = std::chrono::seconds(2);

}  // namespace

LoopThread::LoopThread(int index, SharedParts& shared, const RoutesOf& routes,
                       const http::ServerHooks& hooks, http::ServerSettings settings)
    : background_(loop_),
      client_(loop_, shared.lookups, shared.tls_contexts, shared.proxy),
      writer_(shared.spool.writer(index)),
      parts_{shared.clock,      shared.random,  shared.keys,  shared.catalog,
             shared.tokenizers, shared.limiter, shared.quota, shared.spool,
             shared.timeouts,   *writer_,       client_,      background_},
      router_(routes(parts_)),
      server_(loop_, router_, hooks, std::move(settings)),
      control_(loop_) {}

LoopThread::~LoopThread() {
  join();
}

Result<void> LoopThread::start(const async::Address& address) {
  DP_TRY([[maybe_unused]] const uint16_t port, server_.listen(address));
  thread_ = std::thread([this] { loop_.run(); });
  return {};
}

Task<void> LoopThread::wind_down(base::Duration grace) {
  co_await server_.drain(grace);
  co_await background_.join({loop_.now() + kBackgroundGrace});
  loop_.stop();
}

void LoopThread::stop(base::Duration grace) {
  loop_.post([this, grace] { control_.spawn(wind_down(grace)); });
}

void LoopThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace deeppool::platform
