#include "governance/applier/applier.h"

#include <algorithm>

#include "base/log.h"
#include "base/thread_name.h"

namespace deeppool::governance {
namespace {

// The store works, but will not take these rows.
bool refuses_rows(const Error& error) {
  return error.code == ErrorCode::internal || error.code == ErrorCode::conflict ||
         error.code == ErrorCode::invalid_request;
}

}  // namespace

Applier::Applier(Spool& spool, UsageStore& store, size_t batch)
    : spool_(spool), store_(store), batch_(batch) {}

Applier::~Applier() = default;

void Applier::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Applier::run(const std::stop_token& stop) {
  base::name_this_thread("applier");
  std::mutex idle;
  std::unique_lock lock(idle);
  std::chrono::milliseconds pause = kApplyInterval;
  bool down = false;
  while (!stop.stop_requested()) {
    const auto outcome = step();
    if (outcome) {
      if (down) log::info("usage is stored again", {});
      pause = kApplyInterval;
    } else {
      if (!down) {
        log::warn("usage cannot be stored; the spool keeps it",
                  {{"message", outcome.error().message}, {"detail", outcome.error().detail}});
      }
      pause = std::clamp(pause * 2, kFirstRetry, kLastRetry);
    }
    down = !outcome;
    wake_.wait_for(lock, stop, pause, [] { return false; });
  }
}

bool Applier::drain(const base::Clock& clock, base::Deadline deadline) {
  std::mutex idle;
  std::unique_lock lock(idle);
  while (!step()) {
    if (deadline.passed(clock)) return false;
    wake_.wait_for(lock, kApplyInterval);
  }
  return true;
}

Backlog Applier::backlog() const {
  const std::lock_guard lock(backlog_mutex_);
  return backlog_;
}

Result<void> Applier::step() {
  const std::lock_guard lock(step_mutex_);
  auto outcome = step_locked();
  counted_.store_down = !outcome;
  publish();
  return outcome;
}

Result<void> Applier::step_locked() {
  // What an earlier round could not store goes first.
  if (!pending_.rows.empty() || !pending_.cursors.empty()) DP_CHECK(commit());
  DP_CHECK(find_segments());
  for (auto& [number, follower] : followers_) DP_CHECK(read_segment(follower));
  DP_CHECK(commit());
  if (!orphans_settled_) DP_CHECK(settle_orphans());
  return delete_finished();
}

Result<void> Applier::find_segments() {
  if (!cursors_loaded_) {
    DP_TRY(const auto cursors, store_.cursors());
    for (const SpoolCursor& cursor : cursors) {
      stored_cursors_[cursor.loop] = cursor;
      spool_.number_after(cursor.segment);
    }
    cursors_loaded_ = true;
  }
  for (const SegmentView& view : spool_.segments()) {
    const auto known = followers_.find(view.number);
    if (known == followers_.end()) {
      DP_CHECK(open_follower(view));
    } else {
      known->second.view = view;
    }
  }
  return {};
}

Result<void> Applier::open_follower(const SegmentView& view) {
  Follower follower;
  follower.view = view;
  auto reader = SpoolReader::open(view.path);
  if (reader) {
    follower.loop = reader->header().loop;
    follower.reader.emplace(*std::move(reader));
    const auto cursor = stored_cursors_.find(follower.loop);
    // What this run writes is never there before it was read, whatever its number says.
    if (view.adopted && cursor != stored_cursors_.end()) {
      if (view.number < cursor->second.segment) follower.applied_before = INT64_MAX;
      if (view.number == cursor->second.segment) follower.applied_before = cursor->second.position;
    }
  } else if (reader.error().code != ErrorCode::invalid_request) {
    return std::move(reader).error();
  } else if (view.readable >= kSegmentHeaderBytes) {
    log::error("spool segment is unreadable and kept aside",
               {{"segment", view.path.native()}, {"reason", reader.error().message}});
    follower.keep_aside = true;
  }
  followers_.emplace(view.number, std::move(follower));
  return {};
}

Result<void> Applier::read_segment(Follower& follower) {
  if (!follower.reader || follower.at_end) return {};
  SpoolReader& reader = *follower.reader;
  const uint64_t damaged = reader.damaged_bytes() + reader.unknown_frames();
  while (true) {
    DP_TRY(const auto record, reader.next(follower.view.readable));
    if (!record) break;
    take(follower, *record);
    if (pending_.rows.size() >= batch_) DP_CHECK(commit());
  }
  if (reader.damaged_bytes() + reader.unknown_frames() > damaged) {
    log::error("spool segment is damaged and will be kept aside",
               {{"segment", follower.view.path.native()},
                {"damaged_bytes", reader.damaged_bytes()},
                {"unknown_frames", reader.unknown_frames()}});
    follower.keep_aside = true;
  }
  follower.at_end = follower.view.sealed;
  return {};
}

void Applier::take(Follower& follower, const Record& record) {
  if (const auto* hold = std::get_if<HoldRecord>(&record)) {
    const bool fresh =
        open_holds_.try_emplace(hold->request_id, open_hold(*hold, follower.view.number)).second;
    follower.open_holds += fresh;
  } else if (const auto* progress = std::get_if<ProgressRecord>(&record)) {
    const auto open = open_holds_.find(progress->request_id);
    if (open != open_holds_.end()) note_progress(open->second, *progress);
  } else {
    take_final(follower, std::get<FinalRecord>(record));
  }
}

void Applier::take_final(Follower& follower, const FinalRecord& record) {
  std::optional<Held> held;
  if (const auto open = open_holds_.find(record.request_id); open != open_holds_.end()) {
    const auto home = followers_.find(open->second.segment);
    if (home != followers_.end()) --home->second.open_holds;
    held = open->second.held;
    open_holds_.erase(open);
  }
  const auto end = static_cast<int64_t>(follower.reader->offset());
  if (end <= follower.applied_before) return;
  pending_.rows.push_back(usage_row(record));
  pending_.rows.back().held = held;
  pending_.cursors[follower.loop] = {follower.loop, follower.view.number, end};
}

// Holds of earlier runs that found no final record anywhere. Doing it again after a crash changes
// nothing: the rows are there already.
Result<void> Applier::settle_orphans() {
  int64_t settled = 0;
  for (auto open = open_holds_.begin(); open != open_holds_.end();) {
    Follower& home = followers_.at(open->second.segment);
    if (!home.view.adopted) {
      ++open;
      continue;
    }
    --home.open_holds;
    ++settled;
    pending_.rows.push_back(crash_row(open->first, std::move(open->second)));
    open = open_holds_.erase(open);
    if (pending_.rows.size() >= batch_) DP_CHECK(commit());
  }
  DP_CHECK(commit());
  orphans_settled_ = true;
  if (settled > 0) log::warn("requests cut short by a crash were settled", {{"requests", settled}});
  return {};
}

Result<void> Applier::commit() {
  if (pending_.rows.empty() && pending_.cursors.empty()) return {};
  std::vector<SpoolCursor> cursors;
  for (const auto& [loop, cursor] : pending_.cursors) cursors.push_back(cursor);
  auto stored = store_.apply(pending_.rows, cursors);
  if (!stored && refuses_rows(stored.error())) {
    DP_CHECK(commit_one_by_one(stored.error()));
    stored = store_.apply({}, cursors);
  }
  if (!stored) return stored;
  counted_.applied += pending_.rows.size();
  pending_.rows.clear();  // keeps its room for the next batch
  pending_.cursors.clear();
  return {};
}

// The store refuses the batch for what is in it. Rows that are refused alone, while others pass,
// are set aside; when the store takes no row at all the fault is its own, and they wait.
Result<void> Applier::commit_one_by_one(const Error& cause) {
  std::vector<const UsageRow*> refused;
  for (const UsageRow& row : pending_.rows) {
    auto stored = store_.apply({&row, 1}, {});
    if (stored) continue;
    if (!refuses_rows(stored.error())) return stored;
    refused.push_back(&row);
  }
  if (refused.size() == pending_.rows.size() && !store_.takes_rows()) return Error(cause);
  for (const UsageRow* row : refused) {
    log::error("usage row refused by the store; its segment is kept aside",
               {{"request_id", row->request_id.to_string()},
                {"key", row->key.value},
                {"tokens", row->usage.total()},
                {"detail", cause.detail}});
    ++counted_.refused;
  }
  if (!refused.empty()) {
    for (const auto& [loop, cursor] : pending_.cursors) {
      followers_.at(cursor.segment).keep_aside = true;
    }
  }
  return {};
}

Result<void> Applier::delete_finished() {
  std::vector<int64_t> finished;
  for (const auto& [number, follower] : followers_) {
    if (follower.exhausted() && follower.open_holds == 0) finished.push_back(number);
  }
  if (finished.empty()) return {};
  if (auto durable = store_.make_durable(); !durable) {
    // Busy: the next round tries again; the records are stored either way.
    if (durable.error().code == ErrorCode::unavailable) return {};
    return durable;
  }
  for (const int64_t number : finished) {
    const Follower& follower = followers_.at(number);
    DP_CHECK(follower.keep_aside ? spool_.set_aside(follower.view) : spool_.remove(follower.view));
    followers_.erase(number);
  }
  return {};
}

void Applier::publish() {
  counted_.bytes = 0;
  const auto segments = spool_.segments();
  for (const SegmentView& view : segments) {
    const auto follower = followers_.find(view.number);
    const bool read = follower != followers_.end() && follower->second.reader.has_value();
    const uint64_t done = read ? follower->second.reader->offset() : 0;
    counted_.bytes += view.readable - std::min(view.readable, done);
  }
  counted_.segments = segments.size();
  counted_.open_holds = open_holds_.size();
  const std::lock_guard lock(backlog_mutex_);
  backlog_ = counted_;
}

}  // namespace deeppool::governance
