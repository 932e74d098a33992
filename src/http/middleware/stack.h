// Stack: what happens to every HTTP request, whatever its route, before and after its handler. The
// list is short on purpose and has a reason per entry; what concerns some routes belongs to their
// handlers. One per loop, on its loop; gives the hooks `before` and `after` of a Server.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "http/middleware/access_log.h"
#include "http/middleware/trusted_proxies.h"
#include "http/server/server.h"
#include "metrics/loop_metrics.h"

namespace deeppool::http {

// Browsers may call models from any page: keys travel in headers that a page must have been given,
// never in cookies, so `*` without credentials gives nothing away. /api has sessions and gets no
// CORS, nor do figures that every program of this machine may read.
bool open_to_browsers(std::string_view path);

class Stack {
 public:
  // All outlive it.
  struct Parts {
    const base::Clock& clock;
    base::Random& random;
    const TrustedProxies& proxies;
    AccessLog& access_log;
    metrics::LoopMetrics& metrics;
  };
  explicit Stack(Parts parts) : parts_(parts) {}

  // Sets `before` and `after`; the rest of `hooks` is the program's. The stack outlives them.
  void install(ServerHooks& hooks);

  // True: the request is answered (a preflight).
  Task<bool> before(Exchange& x);
  void after(const Exchange& x, const Route* route);

 private:
  Parts parts_;
};

}  // namespace deeppool::http
