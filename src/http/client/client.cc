#include "http/client/client.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "http/codec/head_parser.h"
#include "http/limits.h"
#include "json/padded.h"

namespace deeppool::http {
namespace {

constexpr int kMaxInformational = 8;  // 1xx answers before the real one
constexpr size_t kMaxRequestParts = 16;
constexpr auto kReapInterval = std::chrono::seconds(5);

Error cut_short(const char* what) {
  return Error(ErrorCode::upstream_failed, "The upstream's answer was cut short.", what);
}

}  // namespace

struct IdleConnection {
  std::unique_ptr<async::Socket> socket;
  base::Instant since;
};

struct OriginPool {
  size_t open = 0;                   // leased and idle
  size_t acquiring = 0;              // coroutines between their request for one and its fate
  std::vector<IdleConnection> idle;  // most recently used at the back
  std::deque<async::Parker*> waiting;
  async::TlsResumption resumption;

  void drop(const async::Socket* socket) {
    const auto at = std::find_if(idle.begin(), idle.end(),
                                 [&](const IdleConnection& c) { return c.socket.get() == socket; });
    if (at == idle.end()) return;
    idle.erase(at);
    closed();
  }
  void closed() {
    --open;
    wake_one();
  }
  void wake_one() {
    if (waiting.empty()) return;
    waiting.front()->wake();
    waiting.pop_front();
  }
};

class Acquiring {
 public:
  explicit Acquiring(OriginPool& pool) : pool_(pool) { ++pool_.acquiring; }
  Acquiring(const Acquiring&) = delete;
  ~Acquiring() { --pool_.acquiring; }

 private:
  OriginPool& pool_;
};

// ---- lease

Lease::Lease(Client& client, OriginPool& pool, std::unique_ptr<async::Socket> socket, Age age)
    : client_(client), pool_(pool), socket_(std::move(socket)), age_(age) {}

void Lease::drop() {
  if (!socket_) return;
  socket_.reset();
  pool_.closed();
}

void Lease::keep() {
  client_.release(pool_, std::move(socket_));
}

// ---- reply

Reply::Reply(Lease lease, async::CancelScope& scope)
    : lease_(std::move(lease)), cancel_(scope, &async::Socket::abort_hook, &lease_.socket()) {}

void Reply::finish() {
  cancel_.unlink();
  const bool clean = head_.keep_alive && held_.empty() && !lease_.socket().stale();
  if (clean)
    lease_.keep();
  else
    lease_.drop();
}

Task<Result<void>> Reply::send(const OutgoingRequest& outgoing, base::Deadline deadline) {
  std::array<iovec, kMaxRequestParts + 1> parts;
  size_t count = 0;
  parts[count++] = {const_cast<char*>(outgoing.head.data()), outgoing.head.size()};
  for (const std::string_view piece : outgoing.body) {
    parts[count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  Result<void> sent = co_await lease_.socket().write({parts.data(), count}, deadline);
  co_return sent;
}

Task<Result<void>> Reply::read_head(Method method, base::Deadline deadline) {
  async::Socket& socket = lease_.socket();
  int informational = 0;
  while (informational <= kMaxInformational) {
    std::string_view bytes = held_;
    size_t end = find_head_end(bytes, 0);
    while (end == 0) {
      if (bytes.size() > kMaxHeadBytes) co_return cut_short("its head is larger than 32 KiB");
      Result<size_t> n = co_await socket.read(socket.loop().scratch(), deadline);
      if (!n) co_return std::move(n).error();
      if (*n == 0) co_return cut_short("the connection ended before the head");
      any_byte_ = true;
      const std::string_view fresh(socket.loop().scratch().data(), *n);
      const size_t had = held_.size();
      // A head usually comes whole: then its bytes and the body's are copied once.
      if (had == 0) end = find_head_end(fresh, 0);
      if (end == 0) held_ += fresh;
      bytes = end == 0 ? held_ : fresh;
      if (had > 0) end = find_head_end(bytes, had);
    }
    head_bytes_.assign(bytes.substr(0, end));
    bytes.remove_prefix(end);
    std::string rest;
    if (!bytes.empty()) rest.reserve(bytes.size() + json::kPadding);
    rest += bytes;
    held_ = std::move(rest);
    DP_CO_CHECK(parse_response_head(head_bytes_, method, head_));
    if (head_.status >= 200) {
      left_ = head_.content_length;
      co_return Result<void>();
    }
    ++informational;
  }
  co_return cut_short("too many informational answers");
}

// What came, without its framing, in place. Empty if nothing else came.
Result<std::string_view> Reply::unframed(std::span<char> bytes) {
  if (head_.framing == Framing::until_close) return std::string_view(bytes.data(), bytes.size());
  if (head_.framing == Framing::length) {
    const size_t n = std::min<uint64_t>(left_, bytes.size());
    left_ -= n;
    // More than the length says is not an answer to anything we asked: the connection must go.
    if (n < bytes.size()) head_.keep_alive = false;
    if (left_ == 0) complete_ = true;
    return std::string_view(bytes.data(), n);
  }
  std::string_view in(bytes.data(), bytes.size());
  size_t out = 0;
  while (true) {
    Result<ChunkedDecoder::Step> step = chunks_.next(in);
    if (!step) return cut_short("its chunked body is malformed");
    if (step->state == ChunkedDecoder::State::data) {
      std::memmove(bytes.data() + out, step->data.data(), step->data.size());
      out += step->data.size();
      continue;
    }
    if (step->state == ChunkedDecoder::State::end) {
      if (!in.empty()) head_.keep_alive = false;
      complete_ = true;
    }
    return std::string_view(bytes.data(), out);
  }
}

// What came with the head is handed out once; it must live until the next call.
std::span<char> Reply::hand_out() {
  handed_out_.swap(held_);
  held_.clear();
  return handed_out_;
}

Result<std::string_view> Reply::decode(std::span<char> bytes) {
  Result<std::string_view> data = unframed(bytes);
  if (data && complete_) finish();
  return data;
}

async::Socket::ReadAwaiter Reply::arrival(base::Deadline deadline) {
  std::string().swap(handed_out_);  // a stream may run for minutes: no buffer stays with it
  async::Socket& socket = lease_.socket();
  return socket.read(socket.loop().scratch(), deadline);
}

Result<std::string_view> Reply::take(Result<size_t> arrived) {
  if (!arrived) return std::move(arrived).error();
  if (*arrived == 0 && head_.framing != Framing::until_close) {
    return cut_short("the connection ended inside the body");
  }
  complete_ = *arrived == 0;
  return decode(lease_.socket().loop().scratch().first(*arrived));
}

Task<Result<std::string_view>> Reply::read(base::Deadline deadline) {
  const bool nothing = head_.framing == Framing::none ||
                       (head_.framing == Framing::length && head_.content_length == 0);
  if (nothing) complete_ = true;
  while (!complete_) {
    Result<std::string_view> data = std::string_view();
    if (held_.empty()) {
      Result<size_t> arrived = co_await arrival(deadline);
      data = take(std::move(arrived));
    } else {
      data = decode(hand_out());
    }
    if (!data || !data->empty()) co_return data;
  }
  if (lease_) finish();
  co_return std::string_view();
}

void Reply::forget_fields() {
  head_.headers = {};
  std::string().swap(head_bytes_);
}

// ---- client

Client::Client(async::Loop& loop, async::BlockingPool& pool, TlsContexts& contexts,
               const Proxy& proxy, Reach reach)
    : loop_(loop), dialer_(pool, contexts, proxy, reach), reaper_(loop, &Client::reap, this) {}

Client::~Client() = default;

size_t Client::idle_connections() const {
  size_t n = 0;
  for (const auto& [origin, pool] : pools_) n += pool->idle.size();
  return n;
}

void Client::reap(void* self) {
  auto& client = *static_cast<Client*>(self);
  const base::Instant old = client.loop_.now() - kUpstreamIdleTimeout;
  for (auto& [origin, pool] : client.pools_) {
    const auto young = std::find_if(pool->idle.begin(), pool->idle.end(),
                                    [old](const IdleConnection& c) { return c.since >= old; });
    for (auto each = pool->idle.begin(); each != young; ++each) pool->closed();
    pool->idle.erase(pool->idle.begin(), young);
  }
  // Callers name hosts, too: what is kept of one must not outlast its connections.
  std::erase_if(client.pools_, [](const auto& each) {
    return each.second->open == 0 && each.second->acquiring == 0;
  });
  if (!client.pools_.empty()) client.reaper_.set(client.loop_.now() + kReapInterval);
}

void Client::release(OriginPool& pool, std::unique_ptr<async::Socket> socket) {
  if (pool.idle.size() >= kMaxIdlePerOrigin) {
    socket.reset();
    return pool.closed();
  }
  const async::Socket* key = socket.get();
  socket->on_hangup([&pool, key] { pool.drop(key); });
  pool.idle.push_back({std::move(socket), loop_.now()});
  pool.wake_one();
}

Task<Result<void>> Client::wait_for_place(OriginPool& pool, base::Deadline deadline,
                                          async::CancelScope& scope) {
  async::Parker parker(loop_);
  const async::CancelHook hook(scope, &async::Parker::cancel, &parker);
  pool.waiting.push_back(&parker);
  const async::Parker::Outcome outcome = co_await parker.park(deadline);
  std::erase(pool.waiting, &parker);
  if (outcome == async::Parker::Outcome::timed_out) {
    co_return Error(ErrorCode::no_backend, "The upstream is busy.", "its connection pool is full");
  }
  if (outcome == async::Parker::Outcome::cancelled) {
    co_return Error(ErrorCode::cancelled, "The request was cancelled.");
  }
  co_return Result<void>();
}

Task<Result<Lease>> Client::acquire(const Origin& origin, Reuse reuse, base::Deadline deadline,
                                    async::CancelScope& scope) {
  std::unique_ptr<OriginPool>& slot = pools_[origin];
  if (!slot) slot = std::make_unique<OriginPool>();
  OriginPool& pool = *slot;
  const Acquiring acquiring(pool);
  if (!reaper_.armed()) reaper_.set(loop_.now() + kReapInterval);
  while (true) {
    while (reuse == Reuse::allowed && !pool.idle.empty()) {
      std::unique_ptr<async::Socket> socket = std::move(pool.idle.back().socket);
      pool.idle.pop_back();
      if (socket->stale()) {
        pool.closed();
        continue;
      }
      socket->on_hangup(nullptr);
      co_return Lease(*this, pool, std::move(socket), Lease::Age::reused);
    }
    if (pool.open < kMaxPerOrigin) break;
    Result<void> free = co_await wait_for_place(pool, deadline, scope);
    if (!free) co_return std::move(free).error();
  }
  ++pool.open;
  const base::Deadline by{std::min(deadline.at, loop_.now() + kConnectTimeout)};
  Result<std::unique_ptr<async::Socket>> socket =
      co_await dialer_.dial(origin, pool.resumption, by, scope);
  if (!socket) {
    pool.closed();
    co_return std::move(socket).error();
  }
  ++opened_;
  co_return Lease(*this, pool, std::move(*socket), Lease::Age::fresh);
}

Task<Result<std::unique_ptr<Reply>>> Client::request(const Origin& origin, OutgoingRequest outgoing,
                                                     base::Deadline deadline,
                                                     async::CancelScope& scope) {
  for (Reuse reuse = Reuse::allowed;; reuse = Reuse::never) {
    Result<Lease> lease = co_await acquire(origin, reuse, deadline, scope);
    if (!lease) co_return std::move(lease).error();
    const bool may_be_dead = lease->reused();
    auto reply = std::make_unique<Reply>(std::move(*lease), scope);
    Result<void> done = co_await reply->send(outgoing, deadline);
    // An upstream may answer (413, 429) and close before it has read everything: look for its
    // answer.
    const bool look_for_answer = done || done.error().code == ErrorCode::upstream_failed;
    if (look_for_answer) done = co_await reply->read_head(outgoing.method, deadline);
    if (done) co_return reply;
    const bool broken = done.error().code == ErrorCode::upstream_failed;
    if (!(broken && may_be_dead && !reply->any_byte_)) co_return std::move(done).error();
  }
}

}  // namespace deeppool::http
