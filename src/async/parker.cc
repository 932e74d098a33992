#include "async/parker.h"

namespace deeppool::async {

Task<bool> sleep_for(base::Duration duration, CancelScope& scope) {
  Loop& loop = Loop::current();
  Parker parker(loop);
  const CancelHook hook(scope, &Parker::cancel, &parker);
  const base::Deadline deadline{std::chrono::steady_clock::now() + duration};
  const Parker::Outcome outcome = co_await parker.park(deadline);
  co_return outcome == Parker::Outcome::timed_out;
}

}  // namespace deeppool::async
