// Is the program alive, and may it get traffic? Readiness gathers named checks of the parts; the
// routes answer load balancers, Kubernetes and people. Checks are added while services are built
// and run on any loop afterwards.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "http/server/router.h"

namespace deeppool::platform {

class Readiness {
 public:
  // Why the part cannot serve, or nothing. Called for every probe on an event loop: cheap, never
  // blocking, safe on every thread. The text is public: no addresses, no secrets.
  using Check = std::function<std::string()>;
  // Only before the first probe; at most kMaxReadinessChecks.
  void add(std::string part, Check check);

  // The same for what is worth knowing but no reason to take traffic away: shown, never 503.
  void add_note(std::string part, Check check);

  // Until start() everything is "starting"; after stop() "shutting down". Any thread.
  void start() { phase_ = Phase::serving; }
  void stop() { phase_ = Phase::stopping; }

  struct Reason {
    std::string part;
    std::string text;
  };
  // Empty: ready.
  std::vector<Reason> reasons() const;
  std::vector<Reason> notes() const;

 private:
  enum class Phase { starting, serving, stopping };
  struct Row {
    std::string part;
    Check check;
  };
  static std::vector<Reason> run(const std::vector<Row>& rows);

  std::vector<Row> rows_;
  std::vector<Row> notes_;
  std::atomic<Phase> phase_{Phase::starting};
};

// /livez, /healthz, /api/v1/health: this process answers. /readyz, /api/v1/health/ready: 200, or
// 503 with the reasons. /version. Open to everyone; `readiness` outlives them.
std::vector<http::Route> health_routes(const Readiness& readiness, const std::string& version);

}  // namespace deeppool::platform
