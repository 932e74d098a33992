#include "async/task_group.h"

#include "base/log.h"

namespace deeppool::async {

TaskGroup::Root TaskGroup::run(TaskGroup& group, Task<void> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    report_escaped();
  }
  group.done();
}

void TaskGroup::report_escaped() {
  try {
    throw;
  } catch (const std::exception& e) {
    log::error("exception escaped a task", {{"what", e.what()}});
  } catch (...) {
    log::error("unknown exception escaped a task");
  }
}

Task<bool> TaskGroup::join(base::Deadline deadline) {
  while (running_ > 0) {
    const Parker::Outcome outcome = co_await idle_.park(deadline);
    if (outcome == Parker::Outcome::timed_out) co_return running_ == 0;
  }
  co_return true;
}

}  // namespace deeppool::async
