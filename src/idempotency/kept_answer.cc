#include "idempotency/kept_answer.h"

namespace deeppool::idempotency {
namespace {

constexpr std::string_view kWhole = "whole";
constexpr std::string_view kStream = "stream";

// Up to the line break, which is dropped; nothing if there is none.
std::optional<std::string_view> take_line(std::string_view& bytes) {
  const size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return line;
}

}  // namespace

// Lines like the head of an HTTP message, an empty one, then the body.
std::string encode(const KeptAnswer& answer) {
  std::string out(answer.form == KeptAnswer::Form::whole ? kWhole : kStream);
  out += '\n' + answer.content_type + '\n';
  for (const auto& [name, value] : answer.headers) out += name + ':' + value + '\n';
  out += '\n';
  return out + answer.body;
}

std::optional<KeptAnswer> decode(std::string_view bytes) {
  KeptAnswer answer;
  const auto form = take_line(bytes);
  const auto type = take_line(bytes);
  if (!form || !type || (*form != kWhole && *form != kStream)) return std::nullopt;
  answer.form = *form == kWhole ? KeptAnswer::Form::whole : KeptAnswer::Form::stream;
  answer.content_type = *type;
  while (true) {
    const auto line = take_line(bytes);
    if (!line) return std::nullopt;
    if (line->empty()) break;
    const size_t colon = line->find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    answer.headers.emplace_back(line->substr(0, colon), line->substr(colon + 1));
  }
  answer.body = bytes;
  return answer;
}

}  // namespace deeppool::idempotency
