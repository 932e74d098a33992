#include "mock_upstream/connection.h"

#include "async/parker.h"
#include "http/codec/chunked.h"
#include "http/codec/head_parser.h"
#include "http/limits.h"
#include "mock_upstream/limits.h"

namespace deeppool::mock {
namespace {

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string plain_answer(int status, std::string_view body) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out += reason_phrase(status);
  out += "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size());
  out += "\r\n\r\n";
  out += body;
  return out;
}

std::string refusal(Dialect dialect, const Error& error) {
  const int status = error.code == ErrorCode::not_found           ? 404
                     : error.code == ErrorCode::unauthenticated   ? 401
                     : error.code == ErrorCode::permission_denied ? 403
                                                                  : 400;
  return plain_answer(
      status,
      error_json(dialect, status, {error.message, "invalid_request_error", "", error.param}));
}

std::string_view dialect_name(Dialect dialect) {
  constexpr std::string_view kNames[] = {"openai", "anthropic", "gemini"};
  return kNames[static_cast<size_t>(dialect)];
}

std::string_view id_prefix(const Ask& ask) {
  if (ask.dialect == Dialect::anthropic) return "msg_mock-";
  if (ask.dialect == Dialect::gemini) return "mock-";
  return ask.route == Route::completions ? "cmpl-mock-" : "chatcmpl-mock-";
}

}  // namespace

Connection::Connection(Shared& shared, std::unique_ptr<async::Socket> socket)
    : shared_(shared), socket_(std::move(socket)) {
  shared_.stats.opened();
}

Connection::~Connection() {
  --shared_.stats.open_connections;
}

Task<void> Connection::serve() {
  if (shared_.tls) {
    auto session = async::TlsSession::accept(shared_.tls);
    const base::Deadline deadline{socket_->loop().now() + http::kHeadTimeout};
    Result<void> done = co_await socket_->handshake(std::move(session), deadline);
    if (!done) co_return;
  }
  Fate fate = Fate::keep;
  while (fate == Fate::keep) {
    const bool got = co_await read_request();
    if (!got) co_return;
    fate = co_await answer_request();
    if (!head_.keep_alive && fate == Fate::keep) fate = Fate::close;
    bytes_.erase(0, request_size_);
  }
  if (fate == Fate::reset) socket_->reset_on_close();
}

Task<bool> Connection::read_more(size_t want) {
  while (bytes_.size() < want) {
    const base::Deadline deadline{socket_->loop().now() + kPeerTimeout};
    const std::span<char> scratch = socket_->loop().scratch();
    Result<size_t> n = co_await socket_->read(scratch, deadline);
    if (!n || *n == 0) co_return false;
    bytes_.append(scratch.data(), *n);
  }
  co_return true;
}

Task<bool> Connection::read_request() {
  size_t end = http::find_head_end(bytes_, 0);
  while (end == 0) {
    const size_t scanned = bytes_.size();
    if (scanned > http::kMaxHeadBytes) co_return false;
    const bool more = co_await read_more(scanned + 1);
    if (!more) co_return false;
    if (bytes_.front() < 'A' || bytes_.front() > 'Z') co_return false;  // TLS, most likely
    end = http::find_head_end(bytes_, scanned);
  }
  head_ = {};
  Result<void> parsed = http::parse_request_head(std::string_view(bytes_).substr(0, end), head_);
  if (!parsed) co_return false;
  if (head_.framing == http::Framing::chunked) {
    const bool whole = co_await read_chunked(end);
    co_return whole;
  }
  if (head_.content_length > kMaxBodyBytes) co_return false;
  request_size_ = end + head_.content_length;
  if (bytes_.size() < request_size_) {
    const bool whole = co_await read_more(request_size_);
    if (!whole) co_return false;
    // The buffer may have moved: the head's views with it.
    head_ = {};
    (void)http::parse_request_head(std::string_view(bytes_).substr(0, end), head_);
  }
  body_ = std::string_view(bytes_).substr(end, head_.content_length);
  co_return true;
}

Task<bool> Connection::read_chunked(size_t head_size) {
  http::ChunkedDecoder decoder;
  decoded_.clear();
  size_t taken = head_size;
  while (!decoder.finished()) {
    std::string_view in = std::string_view(bytes_).substr(taken);
    Result<http::ChunkedDecoder::Step> step = decoder.next(in);
    if (!step || decoded_.size() > kMaxBodyBytes) co_return false;
    if (step->state == http::ChunkedDecoder::State::data) decoded_ += step->data;
    taken = bytes_.size() - in.size();
    if (step->state != http::ChunkedDecoder::State::need_more) continue;
    const bool more = co_await read_more(bytes_.size() + 1);
    if (!more) co_return false;
  }
  head_ = {};
  (void)http::parse_request_head(std::string_view(bytes_).substr(0, head_size), head_);
  request_size_ = taken;
  body_ = decoded_;
  co_return true;
}

std::string Connection::list_answer(const Place& place) const {
  return place.route == Route::stats ? shared_.stats.to_json() : models_answer(place.dialect);
}

Task<Fate> Connection::answer_request() {
  Wire wire(*socket_);
  const Place place = place_of(head_);
  if (place.route == Route::stats || place.route == Route::models) {
    const std::string bytes = plain_answer(200, list_answer(place));
    co_await wire.send(bytes);
    co_return wire.fate;
  }
  Result<Ask> ask = read_ask(head_, body_);
  if (!ask || ask->route == Route::count_tokens) {
    ++shared_.stats.requests;
    const std::string bytes =
        ask ? plain_answer(200, count_answer(*ask)) : refusal(place.dialect, ask.error());
    co_await wire.send(bytes);
    co_return wire.fate;
  }
  Record record;
  record.id = std::string(id_prefix(*ask)) + std::to_string(shared_.started_us) + "-" +
              std::to_string(shared_.next_id++);
  const Usage usage = usage_of(*ask, 0, 0);
  record.prompt_tokens = usage.prompt;
  record.cache_read_tokens = usage.cache_read;
  record.cache_write_tokens = usage.cache_write;
  record.end = "peer_closed";
  Call call{.head = head_,
            .body = body_,
            .ask = *ask,
            .behaviour = find_behaviour(ask->script.behaviour),
            .identity = {ask->route, record.id, ask->model, now_us() / 1'000'000},
            .wire = wire,
            .record = record};
  co_await run_behaviour(call);
  co_return wire.fate;
}

Task<void> Connection::run_behaviour(Call& call) {
  Record& record = call.record;
  if (shared_.journal.on()) {
    record.request_id = call.head.headers.find("x-request-id").value_or("");
    record.traceparent = call.head.headers.find("traceparent").value_or("");
    record.path = call.head.target;
    record.dialect = dialect_name(call.ask.dialect);
    record.model = call.ask.model;
    record.behaviour = call.behaviour.name;
    record.stream = call.ask.stream;
    record.started_us = now_us();
  }
  ++shared_.stats.requests;
  ++shared_.stats.running;
  co_await call.behaviour.run(call);
  if (call.wire.fate == Fate::hold) {  // the request lasts until the peer gives up
    co_await call.wire.pause(kPeerTimeout);
    call.wire.fate = Fate::close;
  }
  --shared_.stats.running;
  close_record(record, call.wire);
}

void Connection::close_record(Record& record, const Wire& wire) {
  if (wire.peer_gone() && record.end == "broken") record.end = "peer_closed";
  Stats& stats = shared_.stats;
  ++(record.end == "completed" ? stats.completed
     : record.end == "broken"  ? stats.broken
                               : stats.peer_closed);
  stats.events += record.events;
  stats.completion_tokens += record.completion_tokens;
  stats.prompt_tokens += record.prompt_tokens;
  if (!shared_.journal.on()) return;
  record.ended_us = now_us();
  shared_.journal.write(record);
}

}  // namespace deeppool::mock
