#include "tests/simulation/instance.h"

#include <algorithm>
#include <stdexcept>

#include "governance/funds/limits.h"
#include "governance/spool/limits.h"

namespace deeppool::simulation {

namespace g = governance;

// In the order in which the program makes them.
struct Instance::Process {
  std::unique_ptr<sql::Database> database;
  std::unique_ptr<g::Spool> spool;
  std::optional<g::UsageStore> usage;
  std::optional<g::Applier> applier;
  std::optional<g::SqlLeaseStore> leases;
  std::optional<WatchedLeases> watched;
  std::optional<g::FundBook> book;
  std::vector<std::unique_ptr<g::SpoolWriter>> writers;
};

Instance::Instance(World& world, size_t number, g::WriteWhen when)
    : world_(world), number_(number), when_(when), staged_(kLoops) {}

Instance::~Instance() = default;

bool Instance::start() {
  auto fresh = std::make_unique<Process>();
  fresh->database = world_.connect(faults);
  g::SpoolSettings settings;
  settings.directory = world_.spool_folder(number_);
  settings.volatile_folder = g::VolatileFolder::allow;
  settings.sync_interval = std::chrono::hours(24);
  settings.segment_bytes = 20'000;
  settings.reserve_bytes = 4096;
  settings.min_free_bytes = 4096;
  auto spool = g::Spool::open(settings, world_.clock, world_.dice.random());
  if (!spool) throw std::runtime_error(spool.error().message);
  fresh->spool = *std::move(spool);
  fresh->usage.emplace(*fresh->database, fresh->spool->instance());
  fresh->applier.emplace(*fresh->spool, *fresh->usage, world_.dice.between(1, 64));
  if (!fresh->applier->recover()) return false;
  fresh->leases.emplace(*fresh->database, fresh->spool->instance());
  if (!fresh->leases->claim()) return false;
  fresh->watched.emplace(*fresh->leases, meanwhile);
  fresh->book.emplace(*fresh->watched, world_.clock);
  for (int loop = 0; loop < kLoops; ++loop) {
    fresh->writers.push_back(fresh->spool->writer(loop, when_));
  }
  process_ = std::move(fresh);
  renewed_at_ = {};
  disowned_ = false;
  renew();
  load_config();
  return true;
}

Instance::Sizes Instance::sizes() const {
  Sizes sizes;
  for (const auto& file : std::filesystem::directory_iterator(world_.spool_folder(number_))) {
    sizes[file.path()] = file.file_size();
  }
  return sizes;
}

// What a destructor wrote, a dead process did not.
void Instance::cut_back(const Sizes& before) const {
  for (const auto& [path, size] : sizes()) {
    const auto known = before.find(path);
    if (known == before.end()) {
      std::filesystem::remove(path);
    } else if (known->second < size) {
      std::filesystem::resize_file(path, known->second);
    }
  }
}

void Instance::die() {
  const Sizes before = sizes();
  process_.reset();
  cut_back(before);
  refills_.clear();
  for (auto& staged : staged_) staged.clear();
  for (auto& [id, entry] : world_.journal.requests) {
    entry.cut_short |= entry.instance == number_ && !entry.final;
  }
  faults.lost_after = -1;
  faults.commit = CommitFate::told;
  frozen = false;
  ++world_.journal.count.crashes;
}

void Instance::append_torn(int loop, const g::FinalRecord& record) {
  flush();
  const Sizes before = sizes();
  g::SpoolWriter& writer = *process_->writers[static_cast<size_t>(loop)];
  writer.append_final(record);
  writer.flush();
  for (const auto& [path, size] : sizes()) {
    const auto known = before.find(path);
    const uintmax_t old = known == before.end() ? 0 : known->second;
    if (size <= old) continue;
    const auto missing = world_.dice.between(1, static_cast<int64_t>(size - old));
    std::filesystem::resize_file(path, size - static_cast<uintmax_t>(missing));
    ++world_.journal.count.torn;
  }
}

size_t Instance::stop() {
  flush();
  process_->writers.clear();
  if (!process_->applier->step()) throw std::runtime_error("the applier failed without a fault");
  if (!process_->leases->release()) throw std::runtime_error("leases could not be released");
  const size_t left = process_->spool->segments().size();
  process_.reset();
  return left;
}

void Instance::refill_next() {
  if (refills_.empty()) return;
  const base::UserId user = refills_.front();
  refills_.pop_front();
  // No thread to be had.
  if (world_.dice.once_in(50)) return process_->book->abandon_refill(user);
  process_->book->run_refill(user);
}

void Instance::apply() {
  (void)process_->applier->step();  // it goes on next time
}

// As Funds::upkeep() does it.
void Instance::look_after_leases() {
  if (world_.clock.now() - renewed_at_ >= g::kRenewInterval) renew();
  process_->book->return_idle(world_.clock.now() - g::kIdleBeforeReturn);
}

void Instance::renew() {
  const base::Instant asked = world_.clock.now();
  const auto renewed = process_->leases->renew();
  if (renewed) {
    renewed_at_ = asked;
    process_->book->set_usable_until(asked + g::kLeaseLife);
  } else if (renewed.error().code == ErrorCode::permission_denied) {
    process_->book->set_usable_until(asked);
    disowned_ = true;
  }
}

void Instance::load_config() {
  auto reader = process_->database->read();
  if (!reader) return;
  auto terms = g::load_terms(*reader);
  if (!terms) return;
  process_->book->set_terms(*std::move(terms));
  catalog_ = world_.catalog();
}

g::FundBook& Instance::book() {
  return *process_->book;
}

bool Instance::accepting() const {
  return up() && !frozen && !catalog_.keys.empty();
}

void Instance::note(int loop, base::RequestId id, Noted noted) {
  if (when_ == g::WriteWhen::appended) return noted(world_.journal.requests[id]);
  staged_[static_cast<size_t>(loop)].push_back({id, std::move(noted)});
}

Result<void> Instance::append(int loop, const g::HoldRecord& record, Noted noted) {
  DP_CHECK(process_->writers[static_cast<size_t>(loop)]->append_hold(record));
  note(loop, record.request_id, std::move(noted));
  return {};
}

void Instance::append(int loop, const g::ProgressRecord& record, Noted noted) {
  process_->writers[static_cast<size_t>(loop)]->append_progress(record);
  note(loop, record.request_id, std::move(noted));
}

void Instance::append(int loop, const g::FinalRecord& record, Noted noted) {
  process_->writers[static_cast<size_t>(loop)]->append_final(record);
  note(loop, record.request_id, std::move(noted));
}

void Instance::flush() {
  for (auto& writer : process_->writers) writer->flush();
  for (auto& staged : staged_) {
    for (const Staged& each : staged) each.noted(world_.journal.requests[each.id]);
    staged.clear();
  }
}

g::Backlog Instance::backlog() const {
  return process_->applier->backlog();
}

}  // namespace deeppool::simulation
