#include "tests/simulation/border.h"

#include <algorithm>
#include <utility>

#include "sql/sqlite/sqlite_connection.h"

namespace deeppool::simulation {
namespace {

Error gone() {
  return Error(ErrorCode::unavailable, "the database is away", "simulated");
}

class Link final : public sql::Connection {
 public:
  Link(Shelf& shelf, sql::Access access, std::unique_ptr<sql::Connection> inner)
      : shelf_(shelf), access_(access), inner_(std::move(inner)) {}
  ~Link() override {
    drop_statements();
    end_transaction();
    shelf_.put_back(access_, std::move(inner_));
  }

  template <class Work>
  auto passed_on(Work work) {
    inner_->clear_fault();
    auto done = work();
    if (!done) fault_ = inner_->fault();
    return done;
  }

  void use(Faults& faults, const base::Clock& clock) {
    faults_ = &faults;
    clock_ = &clock;
  }

  sql::Engine engine() const override { return sql::Engine::sqlite; }
  bool alive() override { return true; }  // a dead one is found out when it is used

  Result<void> run_plain(const std::string& text) override {
    if (text == "BEGIN IMMEDIATE" && faults_->on_begin) faults_->on_begin();
    if (faults_->away) return lose();
    if (text == "COMMIT") return commit_as_fated();
    open_ = text.starts_with("BEGIN");
    return passed_on([&] { return inner_->run_plain(text); });
  }

  Result<void> make_durable() override {
    if (faults_->away) return lose();
    return passed_on([&] { return inner_->make_durable(); });
  }

  // Before each statement.
  Result<void> reach() {
    const bool lost = faults_->lost_after >= 0 && faults_->lost_after-- == 0;
    return faults_->away || lost ? Result<void>(lose()) : Result<void>();
  }
  sql::Connection& inner() { return *inner_; }
  int64_t now_ms() const { return base::unix_ms(clock_->wall()); }

 protected:
  Result<std::unique_ptr<sql::Statement>> prepare(const std::string& text) override;

 private:
  Error lose() {
    end_transaction();
    fault_ = sql::Fault::lost;
    return gone();
  }
  void end_transaction() {
    if (std::exchange(open_, false)) (void)inner_->run_plain("ROLLBACK");
  }
  Result<void> commit_as_fated() {
    const CommitFate fate = std::exchange(faults_->commit, CommitFate::told);
    if (fate == CommitFate::lost_before) return lose();
    DP_CHECK(passed_on([&] { return inner_->run_plain("COMMIT"); }));
    open_ = false;
    return fate == CommitFate::told ? Result<void>() : Result<void>(lose());
  }

  Shelf& shelf_;
  const sql::Access access_;
  std::unique_ptr<sql::Connection> inner_;
  Faults* faults_ = nullptr;
  const base::Clock* clock_ = nullptr;
  bool open_ = false;
};

// A statement whose database clock is an argument.
class ClockedStatement final : public sql::Statement {
 public:
  ClockedStatement(Link& link, const std::string& text) : link_(link) {
    static const std::string kNow = sql::expand(sql::Engine::sqlite, "{now_ms}");
    size_t placeholders = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, kNow.size(), kNow) == 0) {
        clocks_.push_back(placeholders++);
        text_ += '?';
        i += kNow.size() - 1;
        continue;
      }
      placeholders += text[i] == '?';
      text_ += text[i];
    }
  }

  Result<sql::Outcome> run(std::span<const sql::Value> arguments) override {
    DP_CHECK(reach());
    if (clocks_.empty()) return link_.passed_on([&] { return real_->run(arguments); });
    std::vector<sql::Value> all(arguments.begin(), arguments.end());
    for (const size_t at : clocks_) {
      all.insert(all.begin() + static_cast<std::ptrdiff_t>(at), link_.now_ms());
    }
    return link_.passed_on([&] { return real_->run(all); });
  }
  Result<sql::Outcome> run_rows(std::span<const sql::Value> values, size_t width) override {
    DP_CHECK(reach());
    if (clocks_.empty()) return link_.passed_on([&] { return real_->run_rows(values, width); });
    return Error(ErrorCode::internal, "a text with {rows} asks the clock");
  }
  size_t columns() const override { return real_->columns(); }
  Result<bool> next() override {
    return link_.passed_on([&] { return real_->next(); });
  }
  sql::Value column(size_t index) const override { return real_->column(index); }
  void close() override {
    if (real_ != nullptr) std::exchange(real_, nullptr)->close();
  }

 private:
  Result<void> reach() {
    DP_CHECK(link_.reach());
    DP_TRY(real_, link_.passed_on([&] { return link_.inner().prepared(text_); }));
    return {};
  }

  Link& link_;
  std::string text_;
  std::vector<size_t> clocks_;      // positions among the arguments, rising
  sql::Statement* real_ = nullptr;  // while it runs; kept by the real connection
};

Result<std::unique_ptr<sql::Statement>> Link::prepare(const std::string& text) {
  return std::unique_ptr<sql::Statement>(std::make_unique<ClockedStatement>(*this, text));
}

}  // namespace

Result<std::unique_ptr<sql::Connection>> Shelf::take(sql::Access access) {
  auto& idle = side(access);
  if (!idle.empty()) {
    auto connection = std::move(idle.back());
    idle.pop_back();
    return connection;
  }
  DP_TRY(auto opened, sql::SqliteConnection::open(file_, access));
  // Nobody cuts the power of the machine that runs this.
  DP_CHECK(opened->run_plain("PRAGMA synchronous = OFF"));
  return opened;
}

void Shelf::put_back(sql::Access access, std::unique_ptr<sql::Connection> connection) {
  side(access).push_back(std::move(connection));
}

Result<std::unique_ptr<sql::Connection>> Connector::connect(sql::Access access) {
  if (faults_.away) return gone();
  DP_TRY(auto inner, shelf_.take(access));
  auto link = std::make_unique<Link>(shelf_, access, std::move(inner));
  link->use(faults_, clock_);
  return std::unique_ptr<sql::Connection>(std::move(link));
}

}  // namespace deeppool::simulation
