// The end of a call, and the only place where it is settled: the final record goes to the spool
// *before* the caller sees the last byte, then rate and quota holds are corrected, then metrics and
// the access log learn. Never waits, so a cancelled call ends like any other.
#pragma once

#include "gateway/bill.h"
#include "gateway/call.h"

namespace deeppool::gateway {

struct Ending {
  governance::Outcome outcome = governance::Outcome::completed;
  int status = 200;
  llm::Usage usage;  // what is charged; zeros where the outcome is free
  std::optional<ErrorCode> error;
  std::string_view finish_reason;
  std::optional<governance::Bill> bill{};  // where the answer says it; else made of `usage`
  bool deviates = false;                   // the upstream's counts are odd (cross_check.h)
};

// Once per call; later calls do nothing.
void finish(Call& call, const Ending& ending);

// What a running stream would be charged if the process died now.
void record_progress(Call& call, const llm::Usage& usage);

}  // namespace deeppool::gateway
