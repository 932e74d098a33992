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
      prefix_(chunk_prefix(call.identity)),
      break_after_(script_.number("after", std::min<int64_t>(3, content.pieces()))),
      piece_(script_.number("piece", style_.piece)),
      chunk_time_(script_.ms("chunk_ms", style_.chunk_ms)) {}

Task<void> Stream::run() {
  const bool opened = co_await open();
  if (!opened) co_return;
  const bool all_sent = co_await send_content();
  if (!all_sent) co_return;
  if (style_.ending == Ending::complete) {
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
  if (!style_.role || call_.ask.route != Route::chat) co_return true;
  const bool role_sent = co_await event(
      chunk(R"([{"index":0,"delta":{"role":"assistant","content":"","refusal":null},)"
            R"("logprobs":null,"finish_reason":null}])",
            every_usage()));
  co_return role_sent;
}

Task<bool> Stream::send_content() {
  const bool forever = style_.ending == Ending::forever;
  const bool breaks = style_.ending != Ending::complete && !forever;
  const int64_t count = breaks ? std::min(break_after_, content_.pieces()) : content_.pieces();
  for (int64_t i = 0; forever || i < count; ++i) {
    const bool sent = co_await send_piece_events(i);
    if (!sent) co_return false;
  }
  co_return true;
}

Task<bool> Stream::send_piece_events(int64_t piece) {
  if (chunk_time_.count() > 0) {
    const bool here = co_await wait_for_turn();
    if (!here) co_return false;
  }
  std::string choice;
  append_choice(choice, piece);
  ++call_.record.completion_tokens;
  const bool sent = co_await event(chunk(choice, every_usage()));
  if (!sent) --call_.record.completion_tokens;
  co_return sent;
}

Task<bool> Stream::wait_for_turn() {
  next_ += chunk_time_;
  const bool here = co_await call_.wire.pause(next_ - std::chrono::steady_clock::now());
  co_return here;
}

void Stream::append_choice(std::string& out, int64_t piece) const {
  if (call_.ask.route == Route::completions) {
    out += "[{\"text\":\"";
    content_.append_text(out, piece);
    out += "\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}]";
    return;
  }
  out += "[{\"index\":0,\"delta\":";
  if (content_.deltas.empty()) {
    out += "{\"content\":\"";
    content_.append_text(out, piece);
    out += "\"}";
  } else {
    out += content_.deltas[static_cast<size_t>(piece)];
  }
  out += ",\"logprobs\":null,\"finish_reason\":null}]";
}

std::string_view Stream::every_usage() {
  if (style_.usage == UsagePlace::every_chunk) {
    usage_ = usage_json({call_.record.prompt_tokens, call_.record.completion_tokens, 0});
    return usage_;
  }
  const bool asked = call_.ask.include_usage && style_.usage == UsagePlace::as_asked;
  return asked ? "null" : "";
}

std::string Stream::chunk(std::string_view choice, std::string_view usage) const {
  std::string json = prefix_;
  json += choice;
  if (!usage.empty()) {
    json += ",\"usage\":";
    json += usage;
  }
  json += '}';
  return json;
}

Task<bool> Stream::event(std::string_view json) {
  std::string text(style_.between);
  // Without the last empty line, each event's own comes with the next one.
  if (!style_.last_blank && call_.record.events > 0) text += style_.newline;
  text += style_.field;
  if (style_.two_lines) {
    const size_t comma = json.find(',') + 1;
    text += json.substr(0, comma);
    text += style_.newline;
    text += style_.field;
    json.remove_prefix(comma);
  }
  text += json;
  text += style_.newline;
  if (style_.last_blank) text += style_.newline;
  ++unflushed_events_;
  const bool sent = co_await put(text);
  co_return sent;
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

// The finish chunk, the usage chunk, [DONE] and the end of the body: one write, as most providers
// send them.
Task<bool> Stream::close() {
  const Usage truth{call_.record.prompt_tokens, call_.record.completion_tokens, content_.reasoning};
  std::string usage = usage_json(truth);
  if (style_.usage == UsagePlace::zero) usage = usage_json({});
  if (style_.usage == UsagePlace::garbage) {
    usage = R"({"prompt_tokens":"many","completion_tokens":-5,"total_tokens":1e999})";
  }
  if (style_.finish) {
    const std::string empty = call_.ask.route == Route::chat ? R"("delta":{})" : R"("text":"")";
    const std::string choice = "[{\"index\":0," + empty +
                               ",\"logprobs\":null,\"finish_reason\":\"" +
                               std::string(content_.finish) + "\"}]";
    const bool inside = style_.usage == UsagePlace::on_finish || style_.usage == UsagePlace::zero ||
                        style_.usage == UsagePlace::garbage;
    const bool sent = co_await event(chunk(choice, inside ? usage : every_usage()));
    if (!sent) co_return false;
  }
  if (call_.ask.include_usage && style_.usage == UsagePlace::as_asked) {
    const bool sent = co_await event(chunk("[]", usage));
    if (!sent) co_return false;
  }
  std::string rest;
  if (style_.done) {
    rest = std::string(style_.between) + std::string(style_.field) + "[DONE]";
    rest += style_.newline;
    rest += style_.newline;
  }
  rest += style_.after_done;
  if (!rest.empty()) append_http_chunk(out_, rest);
  out_ += kLastChunk;
  const bool sent = co_await flush();
  if (sent) call_.record.end = "completed";
  co_return sent;
}

Task<bool> Stream::break_off() {
  call_.record.end = "broken";
  call_.wire.fate = Fate::close;
  switch (style_.ending) {
    case Ending::error_event: {
      const std::string error = error_json(
          {"The engine died while it was answering.", "server_error", "engine_died", ""});
      const bool sent = co_await event(error);
      out_ += kLastChunk;
      if (sent) co_await flush();
      break;
    }
    case Ending::error_text:
      out_.clear();
      append_http_chunk(out_, "data: {\"error\":\"the engine died\"}\n\n");
      out_ += kLastChunk;
      co_await flush();
      break;
    case Ending::error_named: {
      const std::string error = error_json({"Overloaded.", "overloaded_error", "", ""});
      append_http_chunk(out_, "event: error\ndata: " + error + "\n\n");
      out_ += kLastChunk;
      co_await flush();
      break;
    }
    case Ending::cut:  // inside an HTTP chunk and inside an event
      out_ += "100\r\ndata: {\"id\":\"cut";
      co_await flush();
      break;
    case Ending::reset:
      call_.wire.fate = Fate::reset;
      break;
    case Ending::hold:
      call_.wire.fate = Fate::hold;
      break;
    case Ending::complete:
    case Ending::forever:
      break;
  }
  co_return true;
}

}  // namespace deeppool::mock
