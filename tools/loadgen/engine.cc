#include "loadgen/engine.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace deeppool::load {
namespace {

constexpr size_t kScratch = 256 * 1024;
constexpr int kBatch = 512;
constexpr double kSecond = 1e9;
constexpr Nanos kFirstBackoff = 50'000'000;
constexpr Nanos kMaxBackoff = 2'000'000'000;
// Connections opened per turn, so that a run of thousands does not overflow the listen queue.
constexpr size_t kOpenPerTurn = 256;
constexpr Nanos kOpenPause = 5'000'000;

Nanos seconds(double s) {
  return static_cast<Nanos>(s * kSecond);
}

bool retryable(const Exchange& e) {
  if (e.end == End::refused || e.end == End::broken) return true;
  return e.status == 408 || e.status == 409 || e.status == 429 || e.status >= 500;
}

const char* to_string(End end) {
  switch (end) {
    case End::running:
      return "running";
    case End::completed:
      return "completed";
    case End::refused:
      return "refused";
    case End::broken:
      return "broken";
    case End::aborted:
      return "aborted";
    case End::unfinished:
      return "unfinished";
  }
  return "";
}

}  // namespace

Engine::Engine(const Settings& settings, const Target& target, RequestText text)
    : settings_(settings),
      target_(target),
      text_(std::move(text)),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      scratch_(kScratch, '\0'),
      random_(settings.seed) {
  for (int64_t i = 0; i < settings_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(*this, settings_, target_));
    free_.push_back(connections_.back().get());
  }
}

Engine::~Engine() {
  if (journal_ != nullptr) fclose(journal_);
  ::close(epoll_fd_);
}

Result<void> Engine::open_journal() {
  if (settings_.journal.empty()) return {};
  journal_ = fopen(settings_.journal.c_str(), "ae");
  if (journal_ == nullptr) {
    return Error::invalid("journal",
                          "cannot open " + settings_.journal + ": " + std::strerror(errno));
  }
  return {};
}

void Engine::watch(Connection& connection) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &connection;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, connection.fd(), &event);
}

void Engine::first_event(const Exchange& exchange) {
  if (!measuring_) return;
  ++report_.events;
  report_.first_event.add(exchange.first_event - exchange.intended);
}

void Engine::event_gap(Nanos gap) {
  if (!measuring_) return;
  ++report_.events;
  report_.gap.add(gap);
}

void Engine::over(Connection& connection) {
  --running_;
  const Exchange& exchange = connection.exchange();
  write_journal(exchange);
  if (exchange.foreign_nonce) ++report_.foreign_nonces;
  if (exchange.end == End::completed && exchange.status == 200) {
    if (!exchange.nonce.empty() && !exchange.own_nonce) ++report_.missing_nonces;
    if (exchange.completion_tokens < 0) ++report_.no_usage;
  }
  if (!retry(exchange) && measuring_) report_.add(exchange);
  free_.push_back(&connection);
}

bool Engine::retry(const Exchange& exchange) {
  if (ending_ || exchange.attempt >= settings_.retries || !retryable(exchange)) return false;
  Exchange next;
  next.id = exchange.id;
  next.attempt = exchange.attempt + 1;
  next.intended = exchange.intended;
  next.nonce = exchange.nonce;
  const Nanos pause =
      std::min(kFirstBackoff << std::min<int64_t>(exchange.attempt, 10), kMaxBackoff);
  again_.push({now_ns() + pause, std::move(next)});
  ++report_.retries;
  return true;
}

bool Engine::more_wanted() const {
  return !ending_ && (settings_.requests == 0 || started_ < settings_.requests);
}

Exchange Engine::fresh(Nanos intended) {
  Exchange exchange;
  // Unique over the runs of a crash loop that append to one journal.
  exchange.id = static_cast<int64_t>(settings_.seed << 40) + ++started_;
  exchange.intended = intended;
  if (settings_.nonce) exchange.nonce = fmt::format("nonce-{:016x}", random_());
  return exchange;
}

void Engine::begin(Exchange exchange) {
  Connection& connection = *free_.back();
  free_.pop_back();
  if (settings_.abort > 0 &&
      std::uniform_real_distribution<double>(0, 1)(random_) < settings_.abort) {
    exchange.abort_at = std::uniform_int_distribution<int64_t>(0, settings_.abort_span)(random_);
  }
  ++running_;
  std::string text = text_.make(exchange);
  connection.start(std::move(exchange), std::move(text));
}

void Engine::start_due(Nanos now) {
  while (!again_.empty() && again_.top().at <= now && !free_.empty()) {
    Exchange exchange = again_.top().exchange;
    again_.pop();
    begin(std::move(exchange));
  }
  if (settings_.rate > 0) {
    start_arrivals(now);
  } else {
    start_closed(now);
  }
}

void Engine::start_arrivals(Nanos now) {
  const auto interval = static_cast<Nanos>(kSecond / settings_.rate);
  while (more_wanted() && next_arrival_ <= now) {
    if (free_.empty()) ++report_.late_starts;
    waiting_.push_back(fresh(next_arrival_));
    next_arrival_ += interval;
  }
  while (!waiting_.empty() && !free_.empty()) {
    Exchange exchange = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(exchange));
  }
}

void Engine::start_closed(Nanos now) {
  size_t opened = 0;
  // A retry that waits keeps its connection's place.
  size_t spare = free_.size() - std::min(free_.size(), again_.size());
  while (more_wanted() && spare > 0 && next_arrival_ <= now) {
    if (!free_.back()->open() && ++opened > kOpenPerTurn) {
      next_arrival_ = now + kOpenPause;
      return;
    }
    begin(fresh(now));
    --spare;
  }
}

Nanos Engine::next_wake(Nanos now, Nanos until) const {
  Nanos wake = until;
  if (settings_.rate > 0 && more_wanted()) wake = std::min(wake, next_arrival_);
  if (settings_.rate <= 0 && next_arrival_ > now) wake = std::min(wake, next_arrival_);
  if (!timers_.empty()) wake = std::min(wake, timers_.top().at);
  if (!again_.empty() && !free_.empty()) wake = std::min(wake, again_.top().at);
  return std::max<Nanos>(wake - now, 0);
}

void Engine::turn(Nanos now, Nanos until) {
  if (!ending_) start_due(now);
  while (!timers_.empty() && timers_.top().at <= now) {
    Connection* connection = timers_.top().connection;
    timers_.pop();
    connection->on_timer();
  }
  const Nanos wait = next_wake(now_ns(), until);
  const timespec timeout{static_cast<time_t>(wait / 1'000'000'000),
                         static_cast<long>(wait % 1'000'000'000)};
  epoll_event events[kBatch];
  const int n = epoll_pwait2(epoll_fd_, events, kBatch, &timeout, nullptr);
  for (int i = 0; i < n; ++i) {
    static_cast<Connection*>(events[i].data.ptr)->on_ready(events[i].events);
  }
}

void Engine::open_idle() {
  for (int64_t i = 0; i < settings_.idle; ++i) {
    idle_.push_back(std::make_unique<Connection>(*this, settings_, target_));
    idle_.back()->connect_only();
    if (i % kOpenPerTurn == 0) turn(now_ns(), now_ns() + kOpenPause);
  }
}

void Engine::begin_measuring(Nanos now) {
  measuring_ = true;
  measured_from_ = now;
  if (settings_.watch_pid > 0) report_.before = process_use(settings_.watch_pid);
}

void Engine::end_measuring(Nanos now) {
  measuring_ = false;
  report_.seconds = static_cast<double>(now - measured_from_) / kSecond;
  if (settings_.watch_pid > 0) report_.after = process_use(settings_.watch_pid);
}

Report Engine::run() {
  const bool wants_more = settings_.requests > 0;
  ending_ = true;  // no requests yet
  open_idle();
  ending_ = false;
  begin_ = now_ns();
  next_arrival_ = begin_;
  const Nanos measure_at = begin_ + seconds(settings_.warmup);
  const Nanos end_at = measure_at + seconds(settings_.duration);
  Nanos now = begin_;
  while (now < end_at) {
    if (!measuring_ && now >= measure_at) begin_measuring(now);
    const bool all_done = wants_more && started_ >= settings_.requests && running_ == 0 &&
                          again_.empty() && waiting_.empty();
    if (all_done) break;
    turn(now, measuring_ ? end_at : measure_at);
    now = now_ns();
  }
  end_measuring(now);
  const Nanos grace_end = now + seconds(settings_.grace);
  ending_ = true;
  while (running_ > 0 && now < grace_end) {
    turn(now, grace_end);
    now = now_ns();
  }
  for (auto& connection : connections_) connection->give_up(End::unfinished);
  for (const auto& connection : idle_) report_.idle_lost += connection->open() ? 0 : 1;
  return std::move(report_);
}

void Engine::write_journal(const Exchange& e) {
  if (journal_ == nullptr) return;
  std::string request_id;
  base::append_json_string(request_id, e.request_id);
  const std::string line =
      fmt::format(R"({{"id":{},"trace":"{:032x}","attempt":{},"request_id":{},"status":{},)"
                  R"("end":"{}","streamed":{},"events":{},"error_event":{},"prompt_tokens":{},)"
                  R"("completion_tokens":{},"bytes":{},"ms":{:.3f}}})"
                  "\n",
                  e.id, e.id, e.attempt, request_id, e.status, to_string(e.end), e.streamed,
                  e.events, e.error_event, e.prompt_tokens, e.completion_tokens, e.bytes,
                  static_cast<double>(e.ended - e.started) / 1e6);
  fwrite(line.data(), 1, line.size(), journal_);
}

}  // namespace deeppool::load
