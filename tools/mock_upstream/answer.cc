// The plain answer, streamed or whole, and the pieces that every behaviour shares.
#include "mock_upstream/behaviour.h"
#include "mock_upstream/limits.h"
#include "mock_upstream/stream.h"

namespace deeppool::mock {
namespace {

std::string head_of(const Call& call, const Plain& plain, size_t length) {
  std::string head = "HTTP/1.1 " + std::to_string(plain.status) + " ";
  head += reason_phrase(plain.status);
  head += "\r\nContent-Type: ";
  head += plain.content_type;
  head += "\r\nContent-Length: " + std::to_string(length) + "\r\nx-request-id: ";
  head += call.identity.id;
  head += "\r\n";
  head += plain.extra;
  head += "\r\n";
  return head;
}

Task<bool> send_in_pieces(Call& call, std::string_view body, size_t piece) {
  const auto pause = call.ask.script.ms("piece_ms", call.behaviour.style.piece_ms);
  while (!body.empty()) {
    const bool sent = co_await call.wire.send(body.substr(0, piece));
    if (!sent) co_return false;
    body.remove_prefix(std::min(piece, body.size()));
    const bool here = co_await call.wire.pause(pause);
    if (!here) co_return false;
  }
  co_return true;
}

// An unstreamed answer for a style that breaks off: half of the body, then the style's end.
Task<void> send_half(Call& call, std::string_view body) {
  const Ending ending = ending_of(call);
  std::string bytes = head_of(call, {}, body.size());
  bytes += body.substr(0, body.size() / 2);
  call.record.end = "broken";
  call.wire.fate = ending == Ending::reset  ? Fate::reset
                   : ending == Ending::hold ? Fate::hold
                                            : Fate::close;
  co_await call.wire.send(bytes);
}

Task<void> send_whole(Call& call, std::string_view body) {
  const Style& style = call.behaviour.style;
  const Ending ending = ending_of(call);
  if (ending == Ending::cut || ending == Ending::reset || ending == Ending::hold) {
    co_await send_half(call, body);
    co_return;
  }
  const int64_t piece = call.ask.script.number("piece", style.piece);
  if (piece <= 0) {
    co_await send_plain(call, {}, body);
    co_return;
  }
  const std::string head = head_of(call, {}, body.size());
  bool sent = co_await call.wire.send(head);
  if (sent) sent = co_await send_in_pieces(call, body, static_cast<size_t>(piece));
  if (sent) call.record.end = "completed";
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 302:
      return "Found";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Other";
  }
}

Task<bool> delay(Call& call) {
  const auto time = call.ask.script.ms("delay_ms", call.behaviour.style.delay_ms);
  const bool here = co_await call.wire.pause(time);
  co_return here;
}

Task<void> send_plain(Call& call, const Plain& plain, std::string_view body) {
  std::string bytes = head_of(call, plain, body.size());
  bytes += body;
  const bool sent = co_await call.wire.send(bytes);
  if (sent) call.record.end = "completed";
}

Task<void> answer_with(Call& call, const Content& content) {
  const bool here = co_await delay(call);
  if (!here) co_return;
  if (call.ask.stream) {
    Stream stream(call, content);
    co_await stream.run();
    co_return;
  }
  call.record.completion_tokens = content.pieces();
  call.record.reasoning_tokens = static_cast<int64_t>(content.thoughts.size());
  const std::string body = make_voice(call, content)->whole();
  co_await send_whole(call, body);
}

Task<void> answer(Call& call) {
  if (call.ask.route == Route::embeddings) {
    const bool here = co_await delay(call);
    if (!here) co_return;
    const std::string body = embeddings_answer(call.ask);
    co_await send_whole(call, body);
    co_return;
  }
  const Content content = word_content(call.ask);
  co_await answer_with(call, content);
}

}  // namespace deeppool::mock
