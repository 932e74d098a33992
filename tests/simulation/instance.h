// One process of the simulated installation: the real spool, applier, usage store, lease store and
// fund book over its own view of the database, without their threads. It can die at any step and be
// started again on what it left on disk. Owned by the Simulation; single thread.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "governance/applier/applier.h"
#include "governance/funds/fund_book.h"
#include "governance/spool/spool.h"
#include "tests/simulation/limits.h"
#include "tests/simulation/world.h"

namespace deeppool::simulation {

// The real store; others act before and after each exchange, as they do while a thread waits for
// the server.
class WatchedLeases final : public governance::LeaseStore {
 public:
  WatchedLeases(governance::LeaseStore& store, std::function<void()>& meanwhile)
      : store_(store), meanwhile_(meanwhile) {}
  Exchanged exchange(std::span<const governance::LeaseOrder> orders,
                     std::span<governance::LeaseFill> fills) override {
    meanwhile_();
    const Exchanged done = store_.exchange(orders, fills);
    meanwhile_();
    return done;
  }

 private:
  governance::LeaseStore& store_;
  std::function<void()>& meanwhile_;
};

class Instance {
 public:
  Instance(World& world, size_t number, governance::WriteWhen when);
  ~Instance();

  bool up() const { return process_ != nullptr; }
  // As the program starts: spool, recovery, leases, terms. False: it ended with an error.
  bool start();
  // Its memory is gone, and what was not yet written.
  void die();
  // Ends in order; only without requests. Says how many spool segments are left.
  size_t stop();

  // What its threads do, a turn each.
  void refill_next();
  void apply();
  void look_after_leases();
  void renew();
  void load_config();

  // For requests.
  struct Process;
  governance::FundBook& book();
  const Catalog& catalog() const { return catalog_; }
  bool accepting() const;
  void ask_for_refill(base::UserId user) { refills_.push_back(user); }
  // Appends a record of request `id`; `noted` writes it down once it is on disk.
  using Noted = std::function<void(Entry&)>;
  Result<void> append(int loop, const governance::HoldRecord& record, Noted noted);
  void append(int loop, const governance::ProgressRecord& record, Noted noted);
  void append(int loop, const governance::FinalRecord& record, Noted noted);
  void flush();
  bool all_on_disk(int loop) const { return staged_[static_cast<size_t>(loop)].empty(); }
  // Writes this record, of which part reaches the disk; die() comes next.
  void append_torn(int loop, const governance::FinalRecord& record);

  governance::Backlog backlog() const;
  size_t number() const { return number_; }
  // It was declared lost, and has found out; only a restart helps.
  bool disowned() const { return disowned_; }

  Faults faults;
  std::function<void()> meanwhile = [] {};
  bool frozen = false;  // stopped by its machine; others go on

 private:
  using Sizes = std::map<std::filesystem::path, uintmax_t>;
  struct Staged {
    base::RequestId id;
    Noted noted;
  };
  Sizes sizes() const;
  void cut_back(const Sizes& sizes) const;
  void note(int loop, base::RequestId id, Noted noted);

  World& world_;
  const size_t number_;
  const governance::WriteWhen when_;
  std::unique_ptr<Process> process_;
  Catalog catalog_;
  std::deque<base::UserId> refills_;
  std::vector<std::vector<Staged>> staged_;  // by loop
  base::Instant renewed_at_{};
  bool disowned_ = false;
};

}  // namespace deeppool::simulation
