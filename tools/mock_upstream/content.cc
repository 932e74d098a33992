#include "mock_upstream/content.h"

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "mock_upstream/limits.h"

namespace deeppool::mock {
namespace {

// As a JSON string without its quotes.
void append_escaped(std::string& out, std::string_view text) {
  const size_t start = out.size();
  base::append_json_string(out, text);
  out.erase(start, 1);
  out.pop_back();
}

void append_word(std::string& out, int64_t number) {
  out += number == 0 ? "w" : " w";
  base::append_int(out, number + 1);
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

int64_t size_of(const auto& items) {
  return static_cast<int64_t>(items.size());
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

}  // namespace

int64_t Content::pieces() const {
  int64_t count = size_of(thoughts) + (texts.empty() ? words : size_of(texts));
  for (const ToolCall& call : calls) count += 1 + size_of(call.arguments);
  return count;
}

Piece Content::piece(int64_t i) const {
  if (i < size_of(thoughts)) return {.kind = Piece::Kind::thought, .index = i};
  i -= size_of(thoughts);
  const int64_t text_pieces = texts.empty() ? words : size_of(texts);
  if (i < text_pieces || calls.empty()) return {.kind = Piece::Kind::text, .index = i};
  i -= text_pieces;
  for (size_t call = 0; call < calls.size(); ++call) {
    const int64_t arguments = size_of(calls[call].arguments);
    if (i == 0) return {Piece::Kind::call, 0, call, arguments == 0};
    if (i <= arguments) return {Piece::Kind::arguments, i - 1, call, i == arguments};
    i -= 1 + arguments;
  }
  return {.kind = Piece::Kind::text, .index = i};
}

void Content::append(std::string& out, const Piece& piece) const {
  const auto i = static_cast<size_t>(piece.index);
  if (piece.kind == Piece::Kind::thought) {
    append_escaped(out, thoughts[i]);
  } else if (piece.kind == Piece::Kind::arguments) {
    append_escaped(out, calls[piece.call].arguments[i]);
  } else if (texts.empty()) {
    append_word(out, first_word + piece.index);
  } else if (raw_texts) {
    out += texts[i];
  } else {
    append_escaped(out, texts[i]);
  }
}

std::string Content::text() const {
  std::string out;
  const int64_t count = texts.empty() ? words : size_of(texts);
  for (int64_t i = 0; i < count; ++i) append(out, {.kind = Piece::Kind::text, .index = i});
  return out;
}

std::string Content::thought() const {
  std::string out;
  for (const std::string& thought : thoughts) out += thought;
  return out;
}

Content word_content(const Ask& ask) {
  Content content;
  content.first_word = count_words(ask.answered);
  // Only OpenAI's limit is optional, and so a wish.
  const bool by_limit =
      ask.dialect == Dialect::openai && ask.max_tokens >= 0 && content.first_word == 0;
  const int64_t asked = by_limit ? ask.max_tokens : kDefaultTokens;
  const int64_t chunks = ask.script.number("chunks", asked);
  content.words = ask.script.number("tokens", chunks) - content.first_word;
  content.words = std::max<int64_t>(content.words, 0);
  if (ask.max_tokens >= 0 && content.words >= ask.max_tokens) {
    content.words = ask.max_tokens;
    content.finish = Finish::length;
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

void skip_answered(Content& content, std::string_view answered) {
  while (!answered.empty() && !content.texts.empty()) {
    std::string& text = content.texts.front();
    const size_t same = std::min(text.size(), answered.size());
    if (text.compare(0, same, answered, 0, same) != 0) return;
    answered.remove_prefix(same);
    if (same < text.size()) {
      text.erase(0, same);
    } else {
      content.texts.erase(content.texts.begin());
    }
  }
}

Usage usage_of(const Ask& ask, int64_t completion, int64_t reasoning) {
  Usage usage{.prompt = ask.prompt_tokens, .completion = completion, .reasoning = reasoning};
  usage.cache_read = std::clamp<int64_t>(ask.script.number("cached", 0), 0, usage.prompt);
  usage.cache_write =
      std::clamp<int64_t>(ask.script.number("cache_write", 0), 0, usage.prompt - usage.cache_read);
  return usage;
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

std::string models_answer(Dialect dialect) {
  std::string rows;
  for (const std::string id : {"mock", "mock-slow", "mock-tool-calls", "mock-reasoning"}) {
    if (!rows.empty()) rows += ',';
    if (dialect == Dialect::anthropic) {
      rows += R"({"type":"model","id":")" + id + R"(","display_name":")" + id +
              R"(","created_at":"2023-11-14T22:13:20Z"})";
    } else if (dialect == Dialect::gemini) {
      rows += R"({"name":"models/)" + id + R"(","displayName":")" + id +
              R"(","inputTokenLimit":1048576,"outputTokenLimit":65536,)"
              R"("supportedGenerationMethods":["generateContent","countTokens"]})";
    } else {
      rows += R"({"id":")" + id + R"(","object":"model","created":1700000000,"owned_by":"mock"})";
    }
  }
  if (dialect == Dialect::gemini) return "{\"models\":[" + rows + "]}";
  if (dialect == Dialect::openai) return "{\"object\":\"list\",\"data\":[" + rows + "]}";
  return "{\"data\":[" + rows +
         R"(],"has_more":false,"first_id":"mock","last_id":"mock-reasoning"})";
}

std::string count_answer(const Ask& ask) {
  const char* name = ask.dialect == Dialect::gemini ? "totalTokens" : "input_tokens";
  return "{\"" + std::string(name) + "\":" + std::to_string(ask.prompt_tokens) + "}";
}

}  // namespace deeppool::mock
