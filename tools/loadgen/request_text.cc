#include "loadgen/request_text.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/text.h"

namespace deeppool::load {
namespace {

constexpr std::string_view kNoncePlace = "NONCE";

// A chat request with a system message of plain words, `body_size` bytes long.
std::string chat_body(const Settings& settings) {
  std::string model;
  base::append_json_string(model, settings.model);
  std::string rest = R"("},{"role":"user","content":"Say it again, please: NONCE"}])";
  if (settings.stream) rest += R"(,"stream":true,"stream_options":{"include_usage":true})";
  if (settings.max_tokens > 0) rest += ",\"max_tokens\":" + std::to_string(settings.max_tokens);
  rest += '}';
  std::string body = "{\"model\":" + model + R"(,"messages":[{"role":"system","content":")";
  constexpr std::string_view kFiller = "You answer in short words and never in long ones. ";
  const auto wanted = static_cast<size_t>(settings.body_size);
  while (body.size() + rest.size() < wanted) {
    body += kFiller.substr(0, wanted - body.size() - rest.size());
  }
  return body + rest;
}

}  // namespace

Result<RequestText> RequestText::from(const Settings& settings, const Target& target) {
  std::string body;
  if (settings.body_file.empty()) {
    body = chat_body(settings);
  } else {
    std::ifstream file(settings.body_file, std::ios::binary);
    if (!file) return Error::invalid("body", "cannot read " + settings.body_file);
    std::stringstream text;
    text << file.rdbuf();
    body = text.str();
  }
  RequestText out;
  const size_t place = body.find(kNoncePlace);
  if (settings.nonce && place == std::string::npos) {
    return Error::invalid("body", "the body must have the word NONCE where the nonce goes");
  }
  out.before_ = body.substr(0, settings.nonce ? place : body.size());
  if (settings.nonce) out.after_ = body.substr(place + kNoncePlace.size());
  out.head_ = "POST " + target.path + " HTTP/1.1\r\nHost: " + target.host +
              "\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
              "User-Agent: loadgen\r\n";
  if (!settings.key.empty()) out.head_ += "Authorization: Bearer " + settings.key + "\r\n";
  out.traced_ = !settings.journal.empty();
  return out;
}

std::string RequestText::make(const Exchange& exchange) const {
  const size_t length = before_.size() + exchange.nonce.size() + after_.size();
  std::string out = head_;
  if (traced_) {
    // The request's own number is the trace id: it reaches the upstream's journal, too.
    out += fmt::format("traceparent: 00-{:032x}-{:016x}-01\r\n", exchange.id, exchange.attempt + 1);
  }
  if (exchange.attempt > 0) out += fmt::format("x-stainless-retry-count: {}\r\n", exchange.attempt);
  out += fmt::format("Content-Length: {}\r\n\r\n", length);
  out += before_;
  out += exchange.nonce;
  out += after_;
  return out;
}

}  // namespace deeppool::load
