#include "tests/simulation/request.h"

#include <algorithm>
#include <stdexcept>

#include "gateway/limits.h"
#include "governance/funds/limits.h"
#include "governance/pricing/charge.h"

namespace deeppool::simulation {

namespace g = governance;
using base::Money;

Request::Request(World& world, Instance& instance, Mutation mutation)
    : world_(world),
      instance_(instance),
      mutation_(mutation),
      id_(base::RequestId::make(world.clock, world.dice.random())),
      started_(world.clock.now()) {
  plan();
  set_bound();
  ++world_.journal.count.started;
}

void Request::plan() {
  Dice& dice = world_.dice;
  const Catalog& catalog = instance_.catalog();
  key_ = catalog.keys[dice.below(catalog.keys.size())];
  model_ = catalog.models[dice.below(catalog.models.size())];
  loop_ = static_cast<int>(dice.below(kLoops));
  stream_ = !dice.once_in(3);
  if (!dice.once_in(3)) max_tokens_ = dice.skewed(1, 2000);
  prompt_ = dice.skewed(1, 2500);
  counted_ = std::max<int64_t>(1, prompt_ + dice.between(-prompt_ / 10, prompt_ / 20));
  answer_ = dice.skewed(0, 3000);
  if (max_tokens_ && !dice.once_in(40)) answer_ = std::min(answer_, *max_tokens_);
  parts_.cached_tokens = dice.once_in(2) ? dice.between(0, prompt_) : 0;
  const int64_t rest = prompt_ - parts_.cached_tokens;
  parts_.cache_write_tokens = dice.once_in(4) ? dice.between(0, rest) : 0;
  parts_.image_input_tokens = dice.once_in(5) ? rest - parts_.cache_write_tokens : 0;
  if (dice.once_in(12)) fate_ = Fate::upstream_breaks;
  if (dice.once_in(12)) fate_ = Fate::caller_leaves;
  leaves_at_ = dice.between(0, answer_);
  if (dice.once_in(10)) failing_attempts_ = static_cast<int>(dice.between(1, 4));
}

// As gateway/funding.cc sets it.
void Request::set_bound() {
  const bool limited = key_.quota_total >= 0 || !model_->price.free();
  const bool watched = stream_ && !model_->supports_reasoning;
  const bool inject = !watched && !max_tokens_ && limited;
  const int64_t assumed = inject ? gateway::kInjectedOutputTokens : gateway::kAssumedOutputTokens;
  bound_output_ = max_tokens_.value_or(assumed);
  if (const int64_t cap = model_->max_output_tokens; cap != 0) {
    bound_output_ = inject ? cap : std::min(bound_output_, cap);
    answer_ = std::min(answer_, cap);
  }
  bound_prompt_ = prompt_ * 4;  // its bytes
  if (inject) injected_ = bound_output_;
  if (inject) answer_ = std::min(answer_, injected_);
}

bool Request::lower_bound() {
  if (!prompt_counted_) {
    prompt_counted_ = true;
    bound_prompt_ = counted_;
    return true;
  }
  if (injected_ <= gateway::kAssumedOutputTokens) return false;
  injected_ = std::max(injected_ / 2, gateway::kAssumedOutputTokens);
  bound_output_ = injected_;
  answer_ = std::min(answer_, injected_);
  return true;
}

g::Demand Request::demand() const {
  g::Demand demand;
  demand.user = key_.owner;
  demand.key = key_.id;
  demand.quota_total = key_.quota_total;
  demand.tokens = bound_prompt_ + bound_output_ + step_;
  if (!model_->price.free()) {
    demand.cost = g::bound(model_->price.tiers, bound_prompt_, bound_output_ + step_);
  }
  return demand;
}

bool Request::step() {
  switch (state_) {
    case State::funding:
      raise();
      break;
    case State::waiting:
      wait_for_refill();
      break;
    case State::on_paper:
      if (instance_.all_on_disk(loop_)) state_ = State::running;
      break;
    case State::running:
      attempts_ <= failing_attempts_ ? attempt() : answer();
      break;
    case State::settling:
      settle();
      break;
    case State::over:
      break;
  }
  return state_ != State::over;
}

void Request::raise() {
  if (step_ == 0 && fate_ == Fate::caller_leaves && world_.dice.once_in(8)) {
    state_ = State::over;  // while it was being admitted
    return;
  }
  if (refills_ == 0) wait_until_ = world_.clock.now() + g::kRefillWait;
  const auto held = instance_.book().raise(hold_, demand());
  if (!held) return refused(held.error().code);
  if (*held == g::Covered::yes) return funded();
  if (refills_++ == g::kMaxRefills) return refused(ErrorCode::unavailable);
  woken_ = std::make_shared<bool>(false);
  const auto turn = instance_.book().join_refill(key_.owner, [woken = woken_] { *woken = true; });
  if (turn == g::FundBook::Turn::first) instance_.ask_for_refill(key_.owner);
  state_ = State::waiting;
}

void Request::wait_for_refill() {
  if (*woken_) {
    state_ = State::funding;
  } else if (world_.clock.now() >= wait_until_) {
    refused(ErrorCode::unavailable);
  }
}

void Request::refused(ErrorCode code) {
  refills_ = 0;
  const bool spent = code == ErrorCode::insufficient_quota;
  if (step_ == 0) {
    state_ = State::funding;
    if (spent && lower_bound()) return;
    ++world_.journal.count.refused;
    state_ = State::over;
    return;
  }
  state_ = State::running;
  if (spent && step_ > gateway::kSmallestGrowthTokens) {
    step_ /= 2;
    state_ = State::funding;
    return;
  }
  step_ = 0;
  if (output_ > bound_output_) finish(g::Outcome::stopped_at_limit, held_usage());
}

void Request::funded() {
  refills_ = 0;
  if (step_ == 0) return write_hold();
  bound_output_ += step_;
  step_ = 0;
  ++world_.journal.count.grown;
  state_ = State::running;
}

void Request::write_hold() {
  g::HoldRecord record;
  record.request_id = id_;
  record.user = key_.owner;
  record.key = key_.id;
  record.model = model_->name;
  record.stream = stream_;
  record.started_at_ms = base::unix_ms(world_.clock.wall()) - elapsed_ms();
  record.held_tokens = hold_.tokens();
  record.quota_leased = hold_.quota_tokens().has_value();
  record.price = model_->price.snapshot;
  record.held_money = hold_.money();
  const Entry fresh{.user = key_.owner,
                    .key = key_.id,
                    .held_tokens = record.held_tokens,
                    .held_money = record.held_money,
                    .instance = instance_.number(),
                    .progress = {},
                    .final = {}};
  if (!instance_.append(loop_, record, [fresh](Entry& entry) { entry = fresh; })) {
    throw std::runtime_error("the spool refused a hold");
  }
  recorded_ = true;
  attempts_ = 1;
  state_ = State::on_paper;
}

// One that fails before the first byte.
void Request::attempt() {
  if (fate_ == Fate::caller_leaves && leaves_at_ == 0) {
    return finish(g::Outcome::client_aborted, {});
  }
  if (attempts_ == gateway::kMaxAttempts) {
    return finish(g::Outcome::failed_before_first_byte, {});
  }
  ++attempts_;
}

// The next piece, of a whole answer all of it.
void Request::answer() {
  const int64_t end = fate_ == Fate::completes ? answer_ : leaves_at_;
  const int64_t piece = stream_ ? world_.dice.between(1, 200) : end;
  if (output_ < end) {
    output_ = std::min(output_ + piece, end);
    if (stream_) return grow_if_needed();
  }
  if (fate_ == Fate::completes) return finish(g::Outcome::completed, usage_of(output_));
  if (fate_ == Fate::caller_leaves) {
    return finish(g::Outcome::client_aborted, stream_ ? usage_of(output_) : llm::Usage());
  }
  finish(stream_ ? g::Outcome::broke_midstream : g::Outcome::failed_before_first_byte, {});
}

void Request::grow_if_needed() {
  if (world_.dice.once_in(4)) write_progress();
  if (!hold_.limited() || output_ + gateway::kGrowAheadTokens <= bound_output_) return;
  step_ = std::max(bound_output_, output_ + gateway::kGrowAheadTokens - bound_output_);
  state_ = State::funding;
}

llm::Usage Request::usage_of(int64_t output) const {
  llm::Usage usage = parts_;
  usage.prompt_tokens = prompt_;
  usage.completion_tokens = output;
  usage.reasoning_tokens = model_->supports_reasoning ? output / 2 : 0;
  return usage;
}

llm::Usage Request::held_usage() const {
  llm::Usage usage;
  usage.source = llm::Usage::Source::estimated;
  usage.prompt_tokens = std::min(counted_, bound_prompt_);
  usage.completion_tokens = std::min(output_, bound_output_);
  return usage;
}

// As gateway/bill.cc computes it.
g::Bill Request::bill_for(const llm::Usage& usage) const {
  g::Bill bill;
  bill.price = model_->price.snapshot;
  bill.discount_ppm = hold_.discount_ppm();
  bill.grants = hold_.grants_for(usage.total());
  const auto charged =
      g::charge(model_->price.tiers, usage, {bill.grants.tokens(), bill.discount_ppm});
  if (!charged) throw std::runtime_error("a request could not be charged");
  bill.charged = *charged;
  return bill;
}

void Request::write_progress() {
  Told told;
  told.usage = usage_of(output_);
  told.usage.source = llm::Usage::Source::estimated;
  told.bill = bill_for(told.usage);
  g::ProgressRecord record;
  record.request_id = id_;
  record.usage = told.usage;
  record.duration_ms = elapsed_ms();
  record.bill = told.bill;
  note_excess(told);
  instance_.append(loop_, record, [told](Entry& entry) { entry.progress = told; });
}

g::FinalRecord Request::final_record(g::Outcome outcome, const Told& told) const {
  g::FinalRecord record;
  record.request_id = id_;
  record.user = key_.owner;
  record.key = key_.id;
  record.model = model_->name;
  record.outcome = outcome;
  record.stream = stream_;
  record.status = 200;
  record.duration_ms = elapsed_ms();
  record.started_at_ms = base::unix_ms(world_.clock.wall()) - record.duration_ms;
  record.usage = told.usage;
  record.attempts = attempts_;
  record.bill = told.bill;
  record.quota_leased = hold_.quota_tokens().has_value();
  return record;
}

void Request::finish(g::Outcome outcome, const llm::Usage& usage) {
  told_ = {outcome, usage, bill_for(usage)};
  note_excess(told_);
  g::FinalRecord record = final_record(outcome, told_);
  const bool planted = world_.dice.once_in(100);
  if (planted && mutation_ == Mutation::one_unit_more) {
    record.bill.charged = Money::units(record.bill.charged.units() + 1);
  }
  if (planted && mutation_ == Mutation::grant_forgotten) record.bill.grants = {};
  const auto noted = [told = told_](Entry& entry) { entry.final = told; };
  if (planted && mutation_ == Mutation::final_lost) {
    noted(world_.journal.requests[id_]);
  } else {
    instance_.append(loop_, record, noted);
  }
  ++world_.journal.count.outcomes[outcome];
  state_ = State::settling;
}

void Request::settle() {
  if (mutation_ == Mutation::hold_kept && world_.dice.once_in(100)) {
    // Settled as nothing used at all would be, and not given back either.
    hold_.settle(hold_.tokens(), hold_.money());
  }
  hold_.settle(told_.usage.total(), told_.bill.charged);
  state_ = State::over;
}

bool Request::end_torn() {
  if (state_ != State::running || step_ != 0) return false;
  const Told told{g::Outcome::completed, usage_of(output_), bill_for(usage_of(output_))};
  instance_.append_torn(loop_, final_record(told.outcome, told));
  return true;
}

// What exceeds the hold is owed all the same, see who pays; it may take a fund below its floor.
void Request::note_excess(const Told& told) {
  const auto note = [&](g::FundId fund, int64_t by) {
    if (by > 0) world_.journal.exceeded[fund] += by;
  };
  note({g::FundKind::wallet, key_.owner.value}, told.bill.charged.units() - hold_.money().units());
  if (hold_.quota_tokens()) {
    note({g::FundKind::quota, key_.id.value}, told.usage.total() - *hold_.quota_tokens());
  }
}

int64_t Request::elapsed_ms() const {
  const auto elapsed = world_.clock.now() - started_;
  return std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
}

}  // namespace deeppool::simulation
