// Dialer: from an Origin to a connected Socket: name lookup (remembered for a while), TCP, an HTTP
// proxy's tunnel, TLS with verification and session reuse. One per loop; the TLS contexts are
// shared by all loops.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "async/blocking_pool.h"
#include "async/cancel.h"
#include "async/socket.h"
#include "http/client/origin.h"

namespace deeppool::http {

// Client contexts by CA file. Thread-safe; loading blocks, so the Dialer asks on its pool.
class TlsContexts {
 public:
  Result<std::shared_ptr<const async::TlsContext>> get(const std::string& ca_file);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const async::TlsContext>> contexts_;
};

// Where connections may go. public_only is for URLs that users choose: a name that has any other
// address is refused, the addresses judged are those connected to, and no proxy is used (it would
// look names up by itself).
enum class Reach { anywhere, public_only };

class Dialer {
 public:
  Dialer(async::BlockingPool& pool, TlsContexts& contexts, const Proxy& proxy,
         Reach reach = Reach::anywhere)
      : pool_(pool), contexts_(contexts), proxy_(proxy), reach_(reach) {}

  // Errors: upstream_failed (with the reason in `detail`), timeout, cancelled.
  Task<Result<std::unique_ptr<async::Socket>>> dial(const Origin& origin,
                                                    async::TlsResumption& resumption,
                                                    base::Deadline deadline,
                                                    async::CancelScope& scope);

 private:
  struct Resolved {
    std::vector<async::Address> addresses;
    base::Instant until;
  };
  DP_OWN_FRAME Task<Result<std::vector<async::Address>>> lookup(std::string host, uint16_t port,
                                                                base::Deadline deadline);
  Task<Result<std::unique_ptr<async::Socket>>> connect_tcp(const Origin& origin,
                                                           base::Deadline deadline,
                                                           async::CancelScope& scope);
  DP_OWN_FRAME Task<Result<std::unique_ptr<async::Socket>>> connect_tls(
      const Origin& origin, async::TlsResumption& resumption, base::Deadline deadline,
      async::CancelScope& scope);
  DP_OWN_FRAME Task<Result<void>> open_tunnel(async::Socket& socket, const Origin& origin,
                                              base::Deadline deadline);
  DP_OWN_FRAME Task<Result<std::shared_ptr<const async::TlsContext>>> context_for(
      const Origin& origin, base::Deadline deadline);

  bool tunnels(const Origin& origin) const {
    return reach_ == Reach::anywhere && proxy_.applies_to(origin);
  }

  async::BlockingPool& pool_;
  TlsContexts& contexts_;
  const Proxy& proxy_;
  const Reach reach_;
  std::unordered_map<std::string, Resolved> resolved_;
  std::unordered_map<std::string, std::shared_ptr<const async::TlsContext>> known_contexts_;
};

}  // namespace deeppool::http
