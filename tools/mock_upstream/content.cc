#include "mock_upstream/content.h"

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "mock_upstream/limits.h"

namespace deeppool::mock {
namespace {

// The text as a JSON string without its quotes.
std::string escaped(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out.substr(1, out.size() - 2);
}

void append_word(std::string& out, int64_t piece) {
  out += piece == 0 ? "w" : " w";
  out += std::to_string(piece + 1);
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Any fixed function of the place will do; the values are exact in a float.
float embedding_value(size_t input, int64_t dimension) {
  return static_cast<float>((static_cast<int64_t>(input) * 31 + dimension * 7) % 64 - 32) / 64.0F;
}

std::string embedding_floats(size_t input, int64_t dimensions) {
  std::string out = "[";
  for (int64_t i = 0; i < dimensions; ++i) {
    if (i > 0) out += ',';
    out += std::to_string(embedding_value(input, i));
  }
  return out + "]";
}

std::string embedding_base64(size_t input, int64_t dimensions) {
  std::string bytes;
  for (int64_t i = 0; i < dimensions; ++i) {
    const auto bits = std::bit_cast<uint32_t>(embedding_value(input, i));
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xff);
  }
  return '"' + base::base64_encode(bytes) + '"';
}

std::string nullable(std::string_view text) {
  if (text.empty()) return "null";
  std::string out;
  base::append_json_string(out, text);
  return out;
}

}  // namespace

int64_t Content::pieces() const {
  if (!deltas.empty()) return static_cast<int64_t>(deltas.size());
  if (!texts.empty()) return static_cast<int64_t>(texts.size());
  return words;
}

void Content::append_text(std::string& out, int64_t piece) const {
  if (texts.empty()) {
    append_word(out, piece);
  } else {
    out += escaped(texts[static_cast<size_t>(piece)]);
  }
}

std::string Content::text() const {
  std::string out;
  for (int64_t i = 0; i < pieces(); ++i) append_text(out, i);
  return out;
}

Content word_content(const Ask& ask) {
  Content content;
  const int64_t asked = ask.max_tokens >= 0 ? ask.max_tokens : kDefaultTokens;
  const int64_t chunks = ask.script.number("chunks", asked);
  content.words = std::max<int64_t>(ask.script.number("tokens", chunks), 0);
  if (ask.max_tokens >= 0 && content.words >= ask.max_tokens) {
    content.words = ask.max_tokens;
    content.finish = "length";
  }
  return content;
}

Content text_content(std::string_view text, size_t piece_bytes) {
  Content content;
  while (!text.empty()) {
    size_t end = std::min(piece_bytes, text.size());
    while (end < text.size() && continues_character(text[end])) ++end;
    content.texts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return content;
}

std::string usage_json(const Usage& usage) {
  const auto prompt = std::to_string(usage.prompt);
  return "{\"prompt_tokens\":" + prompt +
         ",\"completion_tokens\":" + std::to_string(usage.completion) +
         ",\"total_tokens\":" + std::to_string(usage.prompt + usage.completion) +
         ",\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0}"
         ",\"completion_tokens_details\":{\"reasoning_tokens\":" +
         std::to_string(usage.reasoning) +
         ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}";
}

std::string chunk_prefix(const Identity& identity) {
  std::string out = "{\"id\":\"" + identity.id + "\",\"object\":\"";
  out += identity.route == Route::chat ? "chat.completion.chunk" : "text_completion";
  out += "\",\"created\":" + std::to_string(identity.created) + ",\"model\":";
  base::append_json_string(out, identity.model);
  out += ",\"system_fingerprint\":\"fp_mock\",\"choices\":";
  return out;
}

std::string whole_answer(const Identity& identity, const Content& content, std::string_view usage) {
  std::string out = "{\"id\":\"" + identity.id + "\",\"object\":\"";
  out += identity.route == Route::chat ? "chat.completion" : "text_completion";
  out += "\",\"created\":" + std::to_string(identity.created) + ",\"model\":";
  base::append_json_string(out, identity.model);
  out += ",\"choices\":[{\"index\":0,";
  if (identity.route == Route::completions) {
    out += "\"text\":\"" + content.text() + '"';
  } else if (!content.message.empty()) {
    out += "\"message\":" + content.message;
  } else {
    out += "\"message\":{\"role\":\"assistant\",\"content\":\"" + content.text() +
           "\",\"refusal\":null,\"annotations\":[]}";
  }
  out += ",\"logprobs\":null,\"finish_reason\":\"" + std::string(content.finish) + "\"}]";
  if (!usage.empty()) out += ",\"usage\":" + std::string(usage);
  return out + ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock\"}";
}

std::string embeddings_answer(const Ask& ask) {
  const int64_t wanted = ask.dimensions > 0 ? ask.dimensions : kDefaultDimensions;
  const int64_t dimensions = std::min(wanted, kMaxDimensions);
  std::string out = "{\"object\":\"list\",\"data\":[";
  for (size_t i = 0; i < ask.inputs; ++i) {
    if (i > 0) out += ',';
    out += "{\"object\":\"embedding\",\"index\":" + std::to_string(i) + ",\"embedding\":";
    out += ask.base64 ? embedding_base64(i, dimensions) : embedding_floats(i, dimensions);
    out += '}';
  }
  const std::string tokens = std::to_string(ask.prompt_tokens);
  out += "],\"model\":";
  base::append_json_string(out, ask.model);
  return out + ",\"usage\":{\"prompt_tokens\":" + tokens + ",\"total_tokens\":" + tokens + "}}";
}

std::string models_answer() {
  std::string out = "{\"object\":\"list\",\"data\":[";
  std::string_view comma;
  for (const std::string_view id : {"mock", "mock-slow", "mock-tool-calls", "mock-reasoning"}) {
    out += comma;
    out += "{\"id\":\"" + std::string(id) +
           "\",\"object\":\"model\",\"created\":1700000000,\"owned_by\":\"mock\"}";
    comma = ",";
  }
  return out + "]}";
}

std::string error_json(const ApiError& error) {
  return "{\"error\":{\"message\":" + nullable(error.message) +
         ",\"type\":" + nullable(error.type) + ",\"param\":" + nullable(error.param) +
         ",\"code\":" + nullable(error.code) + "}}";
}

}  // namespace deeppool::mock
