// One simulated request on its way through an instance, a small step at a time, in the order that
// the gateway keeps: funds, hold record, attempts, pieces of the answer with growing holds and
// progress records, bill, final record, settlement. Owned by the Simulation; dies with its
// instance.
#pragma once

#include <memory>
#include <optional>

#include "governance/funds/hold.h"
#include "tests/simulation/instance.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/world.h"

namespace deeppool::simulation {

class Request {
 public:
  // On a random key and model of the instance's catalog.
  Request(World& world, Instance& instance, Mutation mutation);

  // Goes on by one step; false when it is over. Does not touch the database.
  bool step();
  bool on(const Instance& instance) const { return &instance_ == &instance; }
  // It ends now, and its instance dies while it writes the final record. False: it cannot end now.
  bool end_torn();

 private:
  enum class State : uint8_t { funding, waiting, on_paper, running, settling, over };
  enum class Fate : uint8_t { completes, upstream_breaks, caller_leaves };

  void plan();
  void set_bound();
  bool lower_bound();
  governance::Demand demand() const;
  void raise();
  void wait_for_refill();
  void refused(ErrorCode code);
  void funded();
  void write_hold();
  void attempt();
  void answer();
  void grow_if_needed();
  void write_progress();
  void finish(governance::Outcome outcome, const llm::Usage& usage);
  void settle();

  llm::Usage usage_of(int64_t output) const;
  llm::Usage held_usage() const;
  governance::Bill bill_for(const llm::Usage& usage) const;
  governance::FinalRecord final_record(governance::Outcome outcome, const Told& told) const;
  int64_t elapsed_ms() const;
  void note_excess(const Told& told);

  World& world_;
  Instance& instance_;
  const Mutation mutation_;
  base::RequestId id_;
  base::Instant started_;
  int loop_ = 0;
  Key key_;
  std::shared_ptr<const Model> model_;

  // As its caller asks and as its upstream answers.
  bool stream_ = false;
  std::optional<int64_t> max_tokens_;
  int64_t prompt_ = 0;   // tokens, as the upstream will count them
  int64_t counted_ = 0;  // as we would
  int64_t answer_ = 0;   // tokens that will come
  llm::Usage parts_;     // of the prompt
  Fate fate_ = Fate::completes;
  int64_t leaves_at_ = 0;  // output tokens at which it does not go on
  int failing_attempts_ = 0;

  // As the gateway sees it.
  State state_ = State::funding;
  bool recorded_ = false;
  governance::Hold hold_;
  int64_t bound_prompt_ = 0;
  int64_t bound_output_ = 0;
  bool prompt_counted_ = false;
  int64_t injected_ = 0;
  int64_t step_ = 0;  // by which the hold is being grown; 0: it is not
  int refills_ = 0;
  base::Instant wait_until_;
  std::shared_ptr<bool> woken_;
  int attempts_ = 0;
  int64_t output_ = 0;
  Told told_;  // in state settling
};

}  // namespace deeppool::simulation
