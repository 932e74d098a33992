#include "mock_upstream/ask.h"

#include <boost/crc.hpp>

#include "base/text.h"

namespace deeppool::mock {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

Result<void> read_body(const http::RequestHead& head, std::string_view body, Ask& ask) {
  unsigned char memory[4096];
  bj::monotonic_resource resource(memory, sizeof memory);
  boost::system::error_code failed;
  const bj::value parsed = bj::parse(body, failed, &resource);
  if (failed || !parsed.is_object()) {
    return Error(ErrorCode::invalid_request,
                 "We could not parse the JSON body of your request: " + failed.message());
  }
  switch (ask.dialect) {
    case Dialect::anthropic:
      return read_anthropic(head, parsed.get_object(), ask);
    case Dialect::gemini:
      return read_gemini(head, parsed.get_object(), ask);
    case Dialect::openai:
      break;
  }
  return read_openai(parsed.get_object(), ask);
}

}  // namespace

int64_t count_words(std::string_view text) {
  int64_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = is_space(c);
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return words;
}

void take_text(std::string_view text, Ask& ask) {
  ask.prompt_tokens += count_words(text);
  ask.last_text = text;
}

std::string signature_of(std::string_view thought) {
  boost::crc_32_type crc;
  crc.process_bytes(thought.data(), thought.size());
  return base::base64_encode("mock signed " + std::to_string(crc.checksum()));
}

Result<Ask> read_ask(const http::RequestHead& head, std::string_view body) {
  Place place = place_of(head);
  Ask ask;
  ask.dialect = place.dialect;
  ask.route = place.route;
  ask.model = std::move(place.model);
  ask.stream = place.stream;
  if (ask.route == Route::unknown) {
    return Error(ErrorCode::not_found,
                 "Invalid URL: the mock has chat/completions, completions, embeddings, models, "
                 "messages, and models/{model}:generateContent.");
  }
  DP_CHECK(read_body(head, body, ask));
  ask.script = parse_model_script(ask.model);
  if (const auto header = head.headers.find("x-mock")) ask.script = parse_header_script(*header);
  return ask;
}

}  // namespace deeppool::mock
