// Calls with an Idempotency-Key: the first one answers for all that send the same name and body
// within a day. How it ended is stored *before* its final record, so that a call that was killed in
// between costs nothing rather than twice; for the same reason it has no progress records. Calls
// without the header never come here.
#pragma once

#include <memory>

#include "gateway/call.h"
#include "idempotency/book.h"
#include "idempotency/capture.h"

namespace deeppool::gateway {

bool has_idempotency_key(const Call& call);

// What the stages below work with; shared by all loops.
struct IdempotencyDesk {
  idempotency::Book& book;
  idempotency::Budget& budget;
  async::BlockingPool& pool;
};

// The claim of one call, or the answer to repeat. Dropped without an end, it releases the name.
class Idempotent {
 public:
  explicit Idempotent(Call& call);
  ~Idempotent();
  Idempotent(const Idempotent&) = delete;
  Idempotent& operator=(const Idempotent&) = delete;

  // Asks the database how the name stands. Errors: what the caller shall be told.
  Task<Result<void>> claim(const idempotency::Ask& ask);
  const idempotency::KeptAnswer* replay() const { return replay_.get(); }

  // A header as it is sent, for those who repeat the request.
  void capture_header(std::string_view name, std::string_view value) {
    headers_.emplace_back(name, value);
  }
  // Of a stream: the events as they leave.
  void capture(std::string_view events) { capture_.add(events); }
  // Before the final record. When it returns, the answer is stored, or known not to be.
  Task<void> keep(idempotency::KeptAnswer::Form form);
  // Likewise. The caller left, and pays for what there was: it must not be made again.
  Task<void> cut();

 private:
  Result<void> explain(idempotency::Standing::Kind kind);
  Task<void> end(std::function<Result<void>()> work, idempotency::Book::End otherwise);

  Call& call_;
  IdempotencyDesk& desk_;
  idempotency::Claim claim_;
  bool open_ = false;  // the claim is ours and has not been ended
  std::unique_ptr<idempotency::KeptAnswer> replay_;
  idempotency::Capture capture_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::shared_ptr<async::CancelScope> renewing_;
};

// Stage: sets call.idempotent; it may hold a replay then.
DP_OWN_FRAME Task<Result<void>> claim_idempotency_key(Call& call);
// The end of a call that has one.
DP_OWN_FRAME Task<void> send_replay(Call& call);
// Of a call with a claim, before the final record of an answer that its caller has to pay for.
DP_OWN_FRAME Task<void> keep_whole_answer(Call& call, std::span<const std::string_view> body);

}  // namespace deeppool::gateway
