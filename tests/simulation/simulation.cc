#include "tests/simulation/simulation.h"

#include <fmt/format.h>

#include <algorithm>

#include "governance/funds/lease_store.h"
#include "governance/funds/limits.h"
#include "sql/transaction.h"

namespace deeppool::simulation {
namespace {

namespace g = governance;
using std::chrono::milliseconds;

constexpr int kMostTurns = 400;  // of one request, before something is taken to hang

size_t instances_of(uint64_t seed) {
  return 1 + seed % kMostInstances;
}

}  // namespace

std::string_view to_string(Mutation mutation) {
  switch (mutation) {
    case Mutation::none:
      return "none";
    case Mutation::hold_kept:
      return "hold_kept";
    case Mutation::final_lost:
      return "final_lost";
    case Mutation::one_unit_more:
      return "one_unit_more";
    case Mutation::applied_twice:
      return "applied_twice";
    case Mutation::lease_untaken:
      return "lease_untaken";
    case Mutation::grant_forgotten:
      return "grant_forgotten";
  }
  return "unknown";
}

Simulation::Simulation(const Plan& plan) : plan_(plan), world_(plan.seed, instances_of(plan.seed)) {
  const auto when = world_.dice.once_in(2) ? g::WriteWhen::appended : g::WriteWhen::flushed;
  for (size_t i = 0; i < instances_of(plan.seed); ++i) {
    auto instance = std::make_unique<Instance>(world_, i, when);
    instance->meanwhile = [this] { meanwhile(); };
    instance->faults.on_begin = [this, self = instance.get()] {
      if (world_.dice.once_in(60)) self->faults.commit = CommitFate::lost_before;
      if (world_.dice.once_in(60)) self->faults.commit = CommitFate::lost_after;
      if (world_.dice.once_in(60)) self->faults.lost_after = world_.dice.between(0, 12);
    };
    instances_.push_back(std::move(instance));
  }
  world_.console.on_begin = [this] {
    if (world_.dice.once_in(40)) world_.console.commit = CommitFate::lost_before;
    if (world_.dice.once_in(40)) world_.console.commit = CommitFate::lost_after;
  };
}

History Simulation::run() {
  int64_t turns = 0;
  const int64_t most = plan_.requests * kMostTurns;
  while (findings_.empty() && turns++ < most) {
    const bool all_started = world_.journal.count.started >= plan_.requests;
    if (all_started && requests_.empty()) break;
    turn();
  }
  if (turns > most) findings_.push_back("requests do not come to an end");
  if (findings_.empty()) finish();
  return {hash_of_rows(world_), findings_, summary()};
}

void Simulation::turn() {
  pass_time();
  const int64_t roll = world_.dice.between(1, 10'000);
  if (roll <= 4) return misfortune();
  if (roll <= 6) return kill_one();
  if (roll <= 60) return world_.something_is_settled();
  if (roll <= 62 && plan_.mutation != Mutation::none) return plant();
  if (roll <= 3000) return chore(any_instance());
  if (roll <= 4200) return start_request();
  step_request();
}

void Simulation::pass_time() {
  Dice& dice = world_.dice;
  world_.clock.advance(milliseconds(dice.between(0, 4)));
  if (dice.once_in(2000)) world_.clock.advance(milliseconds(dice.between(0, 3000)));
  if (dice.once_in(20'000)) world_.clock.advance(milliseconds(dice.between(0, 400'000)));
}

void Simulation::start_request() {
  if (requests_.size() >= kInFlight || world_.journal.count.started >= plan_.requests) return;
  Instance* instance = any_working();
  if (instance == nullptr) return;
  requests_.push_back(std::make_unique<Request>(world_, *instance, plan_.mutation));
}

Instance* Simulation::any_working() {
  Instance& instance = any_instance();
  return instance.accepting() ? &instance : nullptr;
}

void Simulation::step_request() {
  if (requests_.empty()) return;
  const size_t at = world_.dice.below(requests_.size());
  Request& request = *requests_[at];
  for (const auto& instance : instances_) {
    if (request.on(*instance) && instance->frozen) return;
  }
  if (request.step()) return;
  std::swap(requests_[at], requests_.back());
  requests_.pop_back();
}

// While a thread of an instance waits for the database, requests go on: they never wait for it.
void Simulation::meanwhile() {
  for (int64_t steps = world_.dice.between(0, 2); steps > 0; --steps) {
    world_.dice.once_in(4) ? start_request() : step_request();
  }
}

void Simulation::chore(Instance& instance) {
  if (instance.frozen) return;
  if (!instance.up()) {
    if (world_.dice.once_in(10)) (void)instance.start();
    return;
  }
  if (instance.disowned() && world_.dice.once_in(100)) {
    drop_requests(instance);
    return instance.die();
  }
  switch (world_.dice.below(16)) {
    case 0:
      return instance.apply();
    case 1:
      return instance.look_after_leases();
    case 2:
      return instance.load_config();
    case 3:
    case 4:
    case 5:
    case 6:
      return instance.flush();
    default:
      return instance.refill_next();
  }
}

// The database goes away for one, for all, and comes back; a machine stands still.
void Simulation::misfortune() {
  Dice& dice = world_.dice;
  if (dice.once_in(8)) return long_silence();
  const bool all = dice.once_in(3);
  const bool away = dice.once_in(2);
  if (all) {
    for (const auto& instance : instances_) instance->faults.away = away;
    world_.console.away = away;
    return;
  }
  Instance& one = any_instance();
  one.faults.away = away;
  if (away || !one.up()) return;
  one.frozen = !one.frozen && dice.once_in(4);
}

// One is not heard of for so long that it is declared lost. Its machine may only have slept.
void Simulation::long_silence() {
  Instance& silent = any_instance();
  if (world_.dice.once_in(2) && silent.up()) {
    drop_requests(silent);
    silent.die();
  }
  world_.clock.advance(g::kLeaseLife + g::kReclaimGrace + milliseconds(1));
  for (const auto& instance : instances_) {
    if (instance.get() != &silent && instance->up()) instance->look_after_leases();
  }
  reclaim_lost();
}

void Simulation::kill_one() {
  Instance& instance = any_instance();
  if (!instance.up()) return;
  const size_t way = world_.dice.below(4);
  if (way == 0) {  // in the applier's transaction
    instance.faults.commit =
        world_.dice.once_in(2) ? CommitFate::lost_before : CommitFate::lost_after;
    instance.apply();
  } else if (way == 1) {  // in an exchange of leases
    instance.faults.commit =
        world_.dice.once_in(2) ? CommitFate::lost_before : CommitFate::lost_after;
    instance.look_after_leases();
  }
  if (way == 2) {  // in the write of a record
    (void)std::ranges::any_of(requests_, [&](const auto& request) {
      return request->on(instance) && request->end_torn();
    });
  }
  drop_requests(instance);
  instance.die();
  check();
}

void Simulation::drop_requests(const Instance& instance) {
  std::erase_if(requests_, [&](const auto& request) { return request->on(instance); });
}

void Simulation::reclaim_lost() {
  auto reader = world_.quiet().read();
  const auto list = g::list_instances(*reader);
  for (const g::InstanceStanding& each : *list) {
    if (!each.lapsed || each.leases == 0) continue;
    excuse_funds_of(each.instance);
    const auto done = sql::run_transaction(
        world_.quiet(), [&](sql::Writer& tx) { return g::reclaim_instance(tx, each.instance); });
    if (done) ++world_.journal.count.reclaimed;
  }
}

// What a lost instance spends or has spent comes on top of what others were given.
void Simulation::excuse_funds_of(const std::string& instance) {
  auto reader = world_.quiet().read();
  const auto rows = reader->query<std::string, int64_t>(
      "SELECT kind, fund_id FROM fund_leases WHERE instance = ?", instance);
  for (const auto& [kind, id] : *rows) {
    for (const auto known : {g::FundKind::quota, g::FundKind::grant, g::FundKind::wallet}) {
      if (kind == g::to_string(known)) world_.journal.excused[{known, id}] = true;
    }
  }
}

// A fault in the tables, as a wrong program would leave it.
void Simulation::plant() {
  const int64_t some = world_.dice.between(1, kUsers);
  (void)sql::run_transaction(world_.quiet(), [&](sql::Writer& tx) -> Result<int64_t> {
    if (plan_.mutation == Mutation::applied_twice) {
      DP_CHECK(
          tx.execute("UPDATE user_wallets SET posted = posted - 7, leased = leased - 7"
                     " WHERE user_id = ?",
                     some));
      DP_CHECK(
          tx.execute("UPDATE fund_leases SET amount = amount - 7 WHERE kind = 'wallet'"
                     " AND fund_id = ?",
                     some));
    } else if (plan_.mutation == Mutation::lease_untaken) {
      DP_CHECK(
          tx.execute("UPDATE fund_leases SET amount = amount + 1 WHERE kind = 'wallet'"
                     " AND fund_id = ?",
                     some));
    }
    return 0;
  });
}

void Simulation::check() {
  check_books(world_, findings_);
}

void Simulation::finish() {
  world_.complete_money_in();
  for (const auto& instance : instances_) {
    instance->faults.on_begin = {};
    instance->faults.away = false;
    instance->frozen = false;
    if (instance->up()) instance->renew();
    if (instance->up() && instance->disowned()) instance->die();
    if (!instance->up() && !instance->start()) {
      findings_.push_back("an instance cannot be started again");
      return;
    }
    settle_down(*instance);
  }
  check_end(world_, findings_);
  for (const auto& instance : instances_) {
    if (instance->stop() != 0) findings_.push_back("spool segments are left");
  }
  check_end(world_, findings_);
}

// Everything that is under way comes to its end, without faults; then nothing may be held.
void Simulation::settle_down(Instance& instance) {
  instance.faults.commit = CommitFate::told;
  instance.faults.lost_after = -1;
  instance.flush();
  instance.apply();
  instance.apply();
  for (int i = 0; i < 100; ++i) instance.refill_next();
  instance.load_config();  // until then accounts remember which of their grants are spent
  for (int i = 0; i < 4; ++i) {
    world_.clock.advance(milliseconds(1500));
    instance.look_after_leases();
  }
  const auto backlog = instance.backlog();
  if (backlog.open_holds != 0 || backlog.refused != 0 || backlog.store_down) {
    findings_.push_back(fmt::format("instance {}: {} requests are open, {} rows were refused",
                                    instance.number(), backlog.open_holds, backlog.refused));
  }
  if (instance.book().accounts() != 0) {
    findings_.push_back(fmt::format("instance {}: {} accounts are still held", instance.number(),
                                    instance.book().accounts()));
  }
}

std::string Simulation::summary() {
  const auto& count = world_.journal.count;
  std::string text = fmt::format(
      "{} instances, {} requests: {} refused, {} holds grown, {} crashes ({} torn), {} reclaimed, "
      "{} checks;",
      instances_.size(), count.started, count.refused, count.grown, count.crashes, count.torn,
      count.reclaimed, count.checks);
  for (const auto& [outcome, n] : count.outcomes) {
    text += fmt::format(" {} {}", n, g::to_string(outcome));
  }
  return text;
}

}  // namespace deeppool::simulation
