// Candidates: the walk over one call's plan. Says which endpoint is asked next (who is ejected or
// full is passed over, budgets are kept), tells endpoints' health what came of it, notes each for
// the access log, and has the last word when nobody answered. On the call's loop; allocates nothing
// while the first candidate answers.
#pragma once

#include <functional>
#include <utility>

#include "gateway/call.h"
#include "provider/failure.h"

namespace deeppool::gateway {

class Candidates {
 public:
  // once_more: for a call that was answered once; all of its attempts are retries.
  enum class Ask : uint8_t { first, once_more };
  explicit Candidates(Call& call, Ask ask = Ask::first);

  struct Chosen {
    const routing::Candidate* candidate = nullptr;
    provider::EndpointSlot slot;
    base::Instant since{};
    explicit operator bool() const { return candidate != nullptr; }
  };
  // Who is to be asked now, entered at its endpoint. Empty: nobody is left, or a budget is used up.
  // When all that are left are ejected, the one that is back soonest is asked all the same, once;
  // of those within a Retry-After one request at a time, now and then.
  // `fits`: who may be asked at all; empty: everybody.
  Chosen next(const std::function<bool(const routing::Candidate&)>& fits = {});
  // Exactly one of these for each chosen one. answered(): the slot stays, for as long as the answer
  // comes. failed(): whether another candidate may do better.
  void answered(Chosen& chosen);
  bool failed(Chosen& chosen, provider::Failure&& failure);
  // Whether a second one may be asked beside `chosen` if that is slow.
  bool hedges(const Chosen& chosen) const;
  // That one, if budgets allow it. It has no failed one before it, so nobody is asked in despair.
  Chosen hedge(const provider::Hedging& hedging);
  // In the place of answered(): another one was faster.
  void outrun(Chosen& chosen);
  // What the caller is told.
  Error verdict() const;

 private:
  Error failed_how() const;
  Chosen ask(const routing::Candidate& candidate, provider::EndpointSlot slot);
  Chosen take(const routing::Candidate& candidate, provider::EndpointSlot slot);
  void pass_over(const routing::Candidate& candidate, const provider::EndpointHealth::Entry& entry);
  Chosen last_resort();
  bool in_time() const;
  Error refusal() const;
  std::optional<std::chrono::milliseconds> soonest_readmission() const;
  void note(const routing::Candidate& candidate, std::string_view outcome, base::Duration took);

  Call& call_;
  const Ask asked_;
  base::Instant began_;
  base::Instant now_;
  size_t position_ = 0;           // in the plan
  bool retrying_;                 // the next attempt is not the call's first
  bool spent_ = false;            // no further attempt, whatever the plan says
  bool verdict_is_last_ = false;  // nobody could do better than the last one
  bool alike_ = true;             // all that were asked failed with the same code
  std::optional<Error> last_;
  const routing::Candidate* soonest_ = nullptr;  // of those passed over because they are ejected
  using Turn = std::pair<bool, base::Instant>;   // told to wait, back when
  Turn soonest_turn_{};
  bool told_to_wait_ = false;  // somebody was passed over because of a Retry-After
  bool full_ = false;          // or because it has as many requests as it may
};

}  // namespace deeppool::gateway
