#include "mock_upstream/stream.h"

#include <algorithm>

#include "base/text.h"
#include "mock_upstream/limits.h"

namespace deeppool::mock {
namespace {

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\nx-request-id: ";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

void append_http_chunk(std::string& out, std::string_view data) {
  char size[20];
  const auto end = std::to_chars(size, size + sizeof size, data.size(), 16);
  out.append(size, end.ptr);
  out += "\r\n";
  out += data;
  out += "\r\n";
}

}  // namespace

Stream::Stream(Call& call, const Content& content)
    : call_(call),
      content_(content),
      style_(call.behaviour.style),
      script_(call.ask.script),
      ending_(ending_of(call)),
      voice_(make_voice(call, content)),
      break_after_(script_.number("after", std::min<int64_t>(3, content.pieces()))),
      piece_(script_.number("piece", style_.piece)),
      chunk_time_(script_.ms("chunk_ms", style_.chunk_ms)) {}

Task<void> Stream::run() {
  const bool opened = co_await open();
  if (!opened) co_return;
  const bool all_sent = co_await send_content();
  if (!all_sent) co_return;
  if (ending_ == Ending::complete) {
    co_await close();
  } else {
    co_await break_off();
  }
}

Task<bool> Stream::open() {
  std::string head(kStreamHead);
  head += call_.identity.id;
  head += "\r\n\r\n";
  const bool sent = co_await call_.wire.send(head);
  if (!sent) co_return false;
  const bool here = co_await call_.wire.pause(script_.ms("first_ms", style_.first_ms));
  if (!here) co_return false;
  next_ = std::chrono::steady_clock::now();
  if (!style_.opening.empty()) {
    const bool opened = co_await put(style_.opening);
    if (!opened) co_return false;
  }
  if (style_.odd_first) events_.push_back(voice_->odd_event());
  voice_->open(events_);
  const bool said = co_await send_events();
  co_return said;
}

Task<bool> Stream::send_content() {
  const bool forever = ending_ == Ending::forever;
  const bool breaks = ending_ != Ending::complete && !forever;
  const int64_t count = breaks ? std::min(break_after_, content_.pieces()) : content_.pieces();
  for (int64_t i = 0; forever || i < count; ++i) {
    const bool sent = co_await say(i);
    if (!sent) co_return false;
  }
  co_return true;
}

Task<bool> Stream::say(int64_t piece) {
  if (chunk_time_.count() > 0) {
    const bool here = co_await wait_for_turn();
    if (!here) co_return false;
  }
  const Piece said = content_.piece(piece);
  const int64_t thought = said.kind == Piece::Kind::thought ? 1 : 0;
  ++call_.record.completion_tokens;
  call_.record.reasoning_tokens += thought;
  voice_->say(said, events_);
  const bool sent = co_await send_events();
  if (!sent) {
    --call_.record.completion_tokens;
    call_.record.reasoning_tokens -= thought;
  }
  co_return sent;
}

Task<bool> Stream::wait_for_turn() {
  next_ += chunk_time_;
  const bool here = co_await call_.wire.pause(next_ - std::chrono::steady_clock::now());
  co_return here;
}

void Stream::append_event(std::string& out, const Event& event) const {
  out += style_.between;
  // Without the last empty line, each event's own comes with the next one.
  if (!style_.last_blank && call_.record.events > 0) out += style_.newline;
  if (!event.name.empty()) {
    out += "event: ";
    out += event.name;
    out += style_.newline;
  }
  out += style_.field;
  std::string_view json = event.json;
  if (style_.two_lines) {
    const size_t comma = json.find(',') + 1;
    out += json.substr(0, comma);
    out += style_.newline;
    out += style_.field;
    json.remove_prefix(comma);
  }
  out += json;
  out += style_.newline;
  if (style_.last_blank) out += style_.newline;
}

Task<bool> Stream::send_events() {
  for (const Event& event : events_) {
    std::string text;
    append_event(text, event);
    ++unflushed_events_;
    const bool sent = co_await put(text);
    if (!sent) co_return false;
  }
  events_.clear();
  co_return true;
}

Task<bool> Stream::put(std::string_view bytes) {
  if (piece_ <= 0) {
    append_http_chunk(out_, bytes);
    if (style_.batch && out_.size() < kFloodBatchBytes) co_return true;
    const bool sent = co_await flush();
    co_return sent;
  }
  const auto pause = script_.ms("piece_ms", style_.piece_ms);
  for (size_t at = 0; at < bytes.size(); at += static_cast<size_t>(piece_)) {
    append_http_chunk(out_, bytes.substr(at, static_cast<size_t>(piece_)));
    const bool sent = co_await flush();
    if (!sent) co_return false;
    const bool here = co_await call_.wire.pause(pause);
    if (!here) co_return false;
  }
  co_return true;
}

Task<bool> Stream::flush() {
  const bool sent = co_await call_.wire.send(out_);
  out_.clear();
  if (sent) call_.record.events += unflushed_events_;
  unflushed_events_ = 0;
  co_return sent;
}

Task<bool> Stream::close() {
  voice_->close(events_);
  const bool said = co_await send_events();
  if (!said) co_return false;
  std::string rest;
  if (!voice_->done().empty()) {
    rest = std::string(style_.between) + std::string(style_.field);
    rest += voice_->done();
    rest += style_.newline;
    rest += style_.newline;
  }
  if (style_.late) append_event(rest, voice_->late_event());
  if (!rest.empty()) append_http_chunk(out_, rest);
  out_ += kLastChunk;
  const bool sent = co_await flush();
  if (sent) call_.record.end = "completed";
  co_return sent;
}

// The last event of an answer that fails, and a well-framed end.
Task<void> Stream::end_with(const Event& event) {
  events_.push_back(event);
  const bool sent = co_await send_events();
  out_ += kLastChunk;
  if (sent) co_await flush();
}

Task<void> Stream::comment_forever() {
  bool here = true;
  while (here) {
    append_http_chunk(out_, ": thinking\n\n");
    here = co_await flush();
    if (here) here = co_await call_.wire.pause(std::chrono::milliseconds(100));
  }
}

Task<void> Stream::break_off() {
  call_.record.end = "broken";
  call_.wire.fate = Fate::close;
  switch (ending_) {
    case Ending::error_event:
      co_await end_with(voice_->error_event(
          500, {"The engine died while it was answering.", "server_error", "engine_died", ""}));
      break;
    case Ending::error_text:
      co_await end_with(voice_->error_text_event());
      break;
    case Ending::error_named: {
      Event event = voice_->error_event(529, {"Overloaded.", "overloaded_error", "", ""});
      event.name = "error";
      co_await end_with(event);
      break;
    }
    case Ending::cut:  // inside an HTTP chunk and inside an event
      out_ += "100\r\ndata: {\"id\":\"cut";
      co_await flush();
      break;
    case Ending::reset:
      call_.wire.fate = Fate::reset;
      break;
    case Ending::comments:
      co_await comment_forever();
      break;
    case Ending::hold:
      call_.wire.fate = Fate::hold;
      break;
    case Ending::complete:
    case Ending::forever:
      break;
  }
}

}  // namespace deeppool::mock
