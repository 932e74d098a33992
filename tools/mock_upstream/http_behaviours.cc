// Behaviours that are wrong, or unusual, as HTTP: statuses, heads, lengths, bytes.
#include <boost/crc.hpp>
#include <charconv>

#include "mock_upstream/behaviour.h"
#include "mock_upstream/limits.h"
#include "mock_upstream/voice.h"

namespace deeppool::mock {
namespace {

std::string plain_body(const Call& call) {
  if (call.ask.route == Route::embeddings) return embeddings_answer(call.ask);
  const Content content = word_content(call.ask);
  call.record.completion_tokens = content.pieces();
  return make_voice(call, content)->whole();
}

// Sends bytes as they are and leaves the connection to `fate`.
Task<void> send_raw(Call& call, std::string_view bytes, Fate fate) {
  const bool here = co_await delay(call);
  if (!here) co_return;
  call.wire.fate = fate;
  call.record.end = "broken";
  co_await call.wire.send(bytes);
}

std::string ok_head(std::string_view fields) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + std::string(fields) + "\r\n";
}

// ---- statuses

constexpr ApiError kErrors[] = {
    {"The server had an error while processing your request.", "server_error", "", ""},
    {"This request is not valid.", "invalid_request_error", "invalid_value", "messages"},
    {"Incorrect API key provided: sk-up****.", "invalid_request_error", "invalid_api_key", ""},
    {"You are not allowed to use this.", "permission_error", "permission_denied", ""},
    {"The model does not exist.", "invalid_request_error", "model_not_found", "model"},
    {"Rate limit reached. Please try again later.", "requests", "rate_limit_exceeded", ""},
    {"The server is overloaded.", "server_error", "overloaded", ""},
};

const ApiError& error_for(int status) {
  switch (status) {
    case 400:
    case 409:
    case 413:
    case 422:
      return kErrors[1];
    case 401:
      return kErrors[2];
    case 403:
      return kErrors[3];
    case 404:
      return kErrors[4];
    case 429:
      return kErrors[5];
    case 503:
    case 529:
      return kErrors[6];
    default:
      return kErrors[0];
  }
}

int status_code(const Call& call) {
  const std::string_view name = call.ask.script.behaviour;
  int status = 500;
  if (const size_t dash = name.rfind('-'); dash != std::string_view::npos) {
    std::from_chars(name.data() + dash + 1, name.data() + name.size(), status);
  }
  return status >= 200 && status <= 599 ? status : 500;
}

Task<void> send_error(Call& call, int status, const ApiError& error) {
  const bool here = co_await delay(call);
  if (!here) co_return;
  std::string extra;
  for (const char* name : {"retry-after", "retry-after-ms", "x-should-retry"}) {
    const std::string_view value = call.ask.script.text(name, "");
    if (!value.empty()) extra += std::string(name) + ": " + std::string(value) + "\r\n";
  }
  const std::string body = error_json(call.ask.dialect, status, error);
  co_await send_plain(call, {.status = status, .extra = extra}, body);
}

Task<void> fail(Call& call) {
  const int status = status_code(call);
  co_await send_error(call, status, error_for(status));
}

// By the request's id, so that a request fails or not however often it comes.
Task<void> flaky(Call& call) {
  const std::string_view id = call.head.headers.find("x-request-id").value_or("");
  const size_t draw = std::hash<std::string_view>{}(id) % 100;
  if (static_cast<int64_t>(draw) < call.ask.script.number("percent", 50)) {
    co_await send_error(call, 500, error_for(500));
    co_return;
  }
  co_await answer(call);
}

// What a vendor says of a state that has no status of its own.
struct Words {
  int status;
  ApiError error;
};

Task<void> send_words(Call& call, const Words (&by_dialect)[3]) {
  const Words& words = by_dialect[static_cast<size_t>(call.ask.dialect)];
  co_await send_error(call, words.status, words.error);
}

constexpr Words kNoMoney[3] = {
    {429,
     {"You exceeded your current quota, please check your plan.", "insufficient_quota",
      "insufficient_quota", ""}},
    {400,
     {"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to "
      "upgrade or purchase credits.",
      "", "", ""}},
    {429,
     {"You exceeded your current quota, please check your plan and billing details.", "", "", ""}},
};
Task<void> insufficient_quota(Call& call) {
  co_await send_words(call, kNoMoney);
}

constexpr Words kTooLong[3] = {
    {400,
     {"This model's maximum context length is 8192 tokens.", "invalid_request_error",
      "context_length_exceeded", "messages"}},
    {400, {"prompt is too long: 208310 tokens > 200000 maximum", "", "", ""}},
    {400,
     {"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "",
      "", ""}},
};
Task<void> context_length(Call& call) {
  co_await send_words(call, kTooLong);
}

constexpr Words kBadKey[3] = {
    {401, kErrors[2]},
    {401, {"invalid x-api-key", "", "", ""}},
    {400, {"API key not valid. Please pass a valid API key.", "", "", ""}},
};
Task<void> bad_key(Call& call) {
  co_await send_words(call, kBadKey);
}

Task<void> error_200(Call& call) {
  const bool here = co_await delay(call);
  if (!here) co_return;
  const std::string body = error_json(call.ask.dialect, 500, kErrors[0]);
  co_await send_plain(call, {}, body);
}

Task<void> html_error(Call& call) {
  co_await send_plain(call, {.status = 502, .content_type = "text/html"},
                      "<html><body>502 Bad Gateway</body></html>");
}

// ---- heads

Task<void> garbage(Call& call) {
  co_await send_raw(call, "\x16\x03\x01 this is not HTTP\r\n\r\n", Fate::close);
}

Task<void> silent(Call& call) {
  co_await send_raw(call, "", Fate::close);
}

Task<void> never(Call& call) {
  co_await send_raw(call, "", Fate::hold);
}

Task<void> slow_head(Call& call) {
  const std::string body = plain_body(call);
  const std::string bytes =
      ok_head("Content-Length: " + std::to_string(body.size()) + "\r\n") + body;
  const auto pause = call.ask.script.ms("piece_ms", 20);
  for (const char& byte : bytes) {
    const bool sent = co_await call.wire.send({&byte, 1});
    if (!sent) co_return;
    const bool here = co_await call.wire.pause(pause);
    if (!here) co_return;
  }
  call.record.end = "completed";
}

Task<void> informational(Call& call) {
  std::string bytes;
  const int64_t count = call.ask.script.number("count", kInformationalAnswers);
  for (int64_t i = 0; i < count; ++i) bytes += "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  const bool sent = co_await call.wire.send(bytes);
  if (sent) co_await answer(call);
}

Task<void> huge_header(Call& call) {
  co_await send_raw(call, ok_head("X-Huge: " + std::string(kHugeHeaderBytes, 'h') + "\r\n"),
                    Fate::close);
}

Task<void> many_headers(Call& call) {
  std::string fields;
  for (int i = 0; i < kManyHeaders; ++i) fields += "x-h" + std::to_string(i) + ": v\r\n";
  co_await send_raw(call, ok_head(fields + "Content-Length: 0\r\n"), Fate::close);
}

Task<void> redirect(Call& call) {
  const std::string to(call.ask.script.text("to", "http://169.254.169.254/latest/meta-data"));
  co_await send_plain(call, {.status = 302, .extra = "Location: " + to + "\r\n"}, "");
}

Task<void> no_content_type(Call& call) {
  const std::string body = plain_body(call);
  co_await send_raw(
      call, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
      Fate::keep);
  call.record.end = "completed";
}

Task<void> http10(Call& call) {
  const std::string body = plain_body(call);
  co_await send_raw(call, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body,
                    Fate::close);
  call.record.end = "completed";
}

// ---- lengths

Task<void> length_short(Call& call) {
  const std::string body = plain_body(call);
  co_await send_raw(call,
                    ok_head("Content-Length: " + std::to_string(body.size() / 2) + "\r\n") + body,
                    Fate::keep);
}

Task<void> length_long(Call& call) {
  const std::string body = plain_body(call);
  co_await send_raw(call,
                    ok_head("Content-Length: " + std::to_string(body.size() * 2) + "\r\n") + body,
                    Fate::close);
}

Task<void> both_lengths(Call& call) {
  co_await send_raw(
      call, ok_head("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n") + "2\r\n{}\r\n0\r\n\r\n",
      Fate::close);
}

Task<void> bad_chunk(Call& call) {
  co_await send_raw(call, ok_head("Transfer-Encoding: chunked\r\n") + "zz\r\n{}\r\n0\r\n\r\n",
                    Fate::close);
}

Task<void> huge_chunk(Call& call) {
  co_await send_raw(call, ok_head("Transfer-Encoding: chunked\r\n") + "FFFFFFFFFFFFFFFFF\r\n{}",
                    Fate::close);
}

// ---- bodies

Task<void> huge_line(Call& call) {
  std::string bytes =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: ";
  bytes.append(kHugeLineBytes, 'x');
  co_await send_raw(call, bytes, Fate::close);
}

// One stored block of deflate: correct gzip without a compressor.
std::string gzip_stored(std::string_view text) {
  std::string out("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  const auto little = [&out](uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  };
  text = text.substr(0, 0xffff);  // the most that one block holds
  const auto size = static_cast<uint32_t>(text.size());
  out += '\1';
  little(size, 2);
  little(~size, 2);
  out += text;
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  little(crc.checksum(), 4);
  little(size, 4);
  return out;
}

Task<void> gzip(Call& call) {
  const std::string body = gzip_stored(plain_body(call));
  co_await send_plain(call, {.extra = "Content-Encoding: gzip\r\n"}, body);
}

Task<void> invalid_utf8(Call& call) {
  Content content;
  content.texts = {"caf\xe9 ", "\xc3("};
  content.raw_texts = true;
  co_await answer_with(call, content);
}

Task<void> bad_json(Call& call) {
  const std::string body = R"({"id":"a","id":"b","object":"chat.completion","choices":NaN,)"
                           R"("usage":{"prompt_tokens":1e999}})";
  co_await send_plain(call, {}, body);
}

Task<void> truncated_json(Call& call) {
  const std::string body = plain_body(call);
  co_await send_plain(call, {}, std::string_view(body).substr(0, body.size() / 2));
}

Task<void> no_answers(Call& call) {
  co_await send_plain(call, {},
                      R"({"id":"x","object":"chat.completion","model":"m","choices":[]})");
}

Task<void> empty_body(Call& call) {
  co_await send_plain(call, {}, "");
}

constexpr Behaviour kRows[] = {
    {"status", "`status-<code>`: that status with an error; retry-after=, x-should-retry=", fail},
    {"flaky", "percent= of the requests (50), by their x-request-id, end with status 500", flaky},
    {"insufficient-quota", "the account is empty, which no retry will mend", insufficient_quota},
    {"context-length", "400: the prompt is too long", context_length},
    {"bad-key", "the key is not valid, in the vendor's words and status", bad_key},
    {"error-200", "an error body with status 200, streamed or not", error_200},
    {"html-error", "502 with an HTML page", html_error},
    {"garbage", "bytes that are not HTTP", garbage},
    {"close", "closes without an answer", silent},
    {"no-answer", "never answers", never},
    {"slow-head", "the answer one byte each 20 ms, head included", slow_head},
    {"informational", "count= 103 heads, then the answer", informational},
    {"huge-header", "a header line of 64 KB", huge_header},
    {"many-headers", "10,000 header lines", many_headers},
    {"redirect", "302 to an internal address; to=", redirect},
    {"no-content-type", "the answer without Content-Type", no_content_type},
    {"http10", "an HTTP/1.0 answer that ends with the connection", http10},
    {"length-short", "Content-Length is half of what comes", length_short},
    {"length-long", "Content-Length is twice what comes", length_long},
    {"both-lengths", "Content-Length and Transfer-Encoding", both_lengths},
    {"bad-chunk", "a chunk size that is not a number", bad_chunk},
    {"huge-chunk", "a chunk size of 17 digits", huge_chunk},
    {"huge-line", "an event of 8 MB without a line end", huge_line},
    {"gzip", "a gzip-coded body nobody asked for", gzip},
    {"invalid-utf8", "text that is not UTF-8", invalid_utf8},
    {"bad-json", "NaN, overflow and duplicate keys", bad_json},
    {"truncated-json", "half a JSON text, well framed", truncated_json},
    {"no-answers", "status 200 and `choices` is empty", no_answers},
    {"empty-body", "status 200 and nothing", empty_body},
};

}  // namespace

std::span<const Behaviour> http_behaviours() {
  return kRows;
}

}  // namespace deeppool::mock
