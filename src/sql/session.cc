#include "sql/session.h"

#include <bit>

#include "base/log.h"
#include "sql/limits.h"

namespace deeppool::sql {
namespace {

// Tells the observer, and logs a statement that was slow, by its text.
class Stopwatch {
 public:
  Stopwatch(std::string_view text, const Observer& observer)
      : text_(text), observer_(observer), start_(base::SystemClock().now()) {}
  ~Stopwatch() {
    const base::Duration took = base::SystemClock().now() - start_;
    if (observer_) observer_(took);
    if (took < kSlowStatement) return;
    const int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    log::warn("slow SQL statement", {{"ms", ms}, {"sql", text_}});
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  const std::string_view text_;
  const Observer& observer_;
  const base::Instant start_;
};

struct Closing {
  Statement& statement;
  ~Closing() { statement.close(); }
};

Error with_text(Error error, std::string_view text) {
  error.detail += " [";
  error.detail += text;
  error.detail += ']';
  return error;
}

}  // namespace

void Row::note_misfit(size_t column) const {
  if (misfit_.empty()) misfit_ = "column " + std::to_string(column) + " does not fit its C++ type";
}

size_t Reader::part_size(size_t wanted, size_t limit) {
  return std::bit_floor(std::min(wanted, limit));
}

Error Reader::unexpected_rows(std::string_view text, size_t count) {
  return with_text(Error(ErrorCode::internal, "the database answered unexpectedly",
                         std::to_string(count) + " rows where one was expected"),
                   text);
}

Result<void> Reader::each(Text text, std::span<const Value> arguments, const Visit& visit) {
  if (reading_) {
    return with_text(Error(ErrorCode::internal, "the database session is in use",
                           "a row callback used its own session"),
                     text.literal);
  }
  bool delivered = false;
  const auto note = [&](const Row& row) {
    delivered = true;
    visit(row);
  };
  auto done = each_once(text, arguments, note);
  if (done || delivered || lease_->fault() != Fault::lost || lease_->in_transaction()) return done;
  DP_CHECK(lease_.reconnect());  // reads may simply be repeated on a fresh connection
  return each_once(text, arguments, note);
}

Result<void> Reader::each_once(Text text, std::span<const Value> arguments, const Visit& visit) {
  const Stopwatch stopwatch(text.literal, *observer_);
  lease_->clear_fault();
  auto statement = lease_->prepared(text.literal, text.repeat);
  if (!statement) return with_text(std::move(statement).error(), text.literal);
  const Closing closing{**statement};
  if (auto ran = (*statement)->run(arguments); !ran) {
    return with_text(std::move(ran).error(), text.literal);
  }
  std::string misfit;
  const Row row(**statement, misfit);
  reading_ = true;
  while (true) {
    auto more = (*statement)->next();
    if (more && *more) visit(row);
    if (more && *more && misfit.empty()) continue;
    reading_ = false;
    if (!more) return with_text(std::move(more).error(), text.literal);
    if (misfit.empty()) return {};
    return with_text(Error(ErrorCode::internal, "the database answered unexpectedly", misfit),
                     text.literal);
  }
}

Result<Outcome> Reader::run(Text text, std::span<const Value> arguments) {
  const Stopwatch stopwatch(text.literal, *observer_);
  lease_->clear_fault();
  auto statement = lease_->prepared(text.literal, text.repeat);
  if (!statement) return with_text(std::move(statement).error(), text.literal);
  const Closing closing{**statement};
  auto outcome = text.repeat.count == 0 ? (*statement)->run(arguments)
                                        : (*statement)->run_rows(arguments, text.repeat.width);
  if (!outcome) return with_text(std::move(outcome).error(), text.literal);
  return outcome;
}

Result<void> Writer::commit() {
  const Stopwatch stopwatch("COMMIT", *observer_);
  return lease_->commit();
}

}  // namespace deeppool::sql
