// Behaviours that say something else than words, all properly framed.
#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"
#include "mock_upstream/behaviour.h"
#include "mock_upstream/limits.h"

namespace deeppool::mock {
namespace {

namespace bj = boost::json;

constexpr size_t kPieceBytes = 12;  // of texts: several chunks for any JSON answer
constexpr size_t kEchoPieceBytes = 4096;

std::string quoted(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

// ---- tools

struct ToolShape {
  bool type = true;
  bool index = true;
};

// Arguments that satisfy a schema of strings, as far as its first property goes.
std::string tool_arguments(const Call& call) {
  const std::string name(call.ask.script.text("arg", "city"));
  return "{" + quoted(name) + ":\"Paris\"}";
}

Content tool_content(const Call& call, ToolShape shape) {
  const std::string name = call.ask.tools.empty() ? "get_weather" : call.ask.tools.front();
  const std::string arguments = tool_arguments(call);
  const std::string index = shape.index ? "\"index\":0," : "";
  const std::string type = shape.type ? "\"type\":\"function\"," : "";
  const std::string id = "\"id\":\"call_" + call.identity.id + "\",";
  Content content;
  content.finish = "tool_calls";
  const std::string open = "{\"tool_calls\":[{" + index;
  content.deltas.push_back(open + id + type + "\"function\":{\"name\":" + quoted(name) +
                           ",\"arguments\":\"\"}}]}");
  const Content pieces = text_content(arguments, 5);
  for (const std::string& piece : pieces.texts) {
    content.deltas.push_back(open + "\"function\":{\"arguments\":" + quoted(piece) + "}}]}");
  }
  content.message = R"({"role":"assistant","content":null,"refusal":null,"tool_calls":[{)" + id +
                    type + "\"function\":{\"name\":" + quoted(name) +
                    ",\"arguments\":" + quoted(arguments) + "}}]}";
  return content;
}

Task<void> call_tool(Call& call, ToolShape shape) {
  const bool in_words = call.ask.has_tool_result || call.ask.route != Route::chat;
  const Content content = in_words ? word_content(call.ask) : tool_content(call, shape);
  co_await answer_with(call, content);
}

Task<void> tool_calls(Call& call) {
  co_await call_tool(call, {});
}
Task<void> tool_no_type(Call& call) {
  co_await call_tool(call, {.type = false});
}
Task<void> tool_no_index(Call& call) {
  co_await call_tool(call, {.index = false});
}

// ---- texts

Task<void> answer_text(Call& call, std::string_view text, size_t piece_bytes) {
  const Content content = text_content(text, piece_bytes);
  co_await answer_with(call, content);
}

Task<void> vision(Call& call) {
  const std::string text = "I see " + std::to_string(call.ask.images) + " images.";
  co_await answer_text(call, text, kPieceBytes);
}

// In pieces of a word, as models talk.
Task<void> demo(Call& call) {
  if (call.ask.route == Route::embeddings) {
    co_await answer(call);
    co_return;
  }
  const std::string_view text =
      "Hello from the demo model! I am a script, not an AI: I say the same to everybody. Your "
      "request came through DeepPool's key check, limits, routing and metering, and this answer "
      "streams back as I write it. Add a real provider, and the same URL and key will reach its "
      "models.";
  Content content;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at + 1), text.size());
    content.texts.emplace_back(text.substr(at, end - at));
    at = end;
  }
  co_await answer_with(call, content);
}

Task<void> echo(Call& call) {
  co_await answer_text(call, call.body, kEchoPieceBytes);
}

Task<void> echo_headers(Call& call) {
  std::string text = "{";
  for (const http::Header& header : call.head.headers) {
    if (text.size() > 1) text += ',';
    std::string name(header.name);
    for (char& c : name) c = base::lower(c);
    text += quoted(name) + ":" + quoted(header.value);
  }
  text += "}";
  co_await answer_text(call, text, kEchoPieceBytes);
}

// Every piece is the nonce, so that a single foreign chunk shows.
Task<void> nonce(Call& call) {
  const std::string_view text = call.ask.last_text;
  const size_t at = text.find("nonce-");
  const std::string_view found =
      at == std::string_view::npos ? "none" : text.substr(at, text.find_first_of(" \n", at) - at);
  Content content = word_content(call.ask);
  const auto count = static_cast<size_t>(std::max<int64_t>(content.words, 1));
  content.texts.assign(count, std::string(found) + " ");
  co_await answer_with(call, content);
}

Task<void> reasoning(Call& call) {
  if (call.ask.route != Route::chat) {
    co_await answer(call);
    co_return;
  }
  const Content words = word_content(call.ask);
  const std::string thought = "I think, ";
  Content content;
  content.finish = words.finish;
  content.reasoning = std::max<int64_t>(call.ask.script.number("reasoning", 4), 0);
  std::string thoughts;
  for (int64_t i = 0; i < content.reasoning; ++i) {
    content.deltas.push_back("{\"reasoning_content\":" + quoted(thought) + "}");
    thoughts += thought;
  }
  for (int64_t i = 0; i < words.words; ++i) {
    std::string word;
    words.append_text(word, i);
    content.deltas.push_back("{\"content\":\"" + word + "\"}");
  }
  content.message = "{\"role\":\"assistant\",\"content\":\"" + words.text() +
                    "\",\"refusal\":null,\"reasoning_content\":" + quoted(thoughts) + "}";
  co_await answer_with(call, content);
}

// ---- JSON mode

constexpr int kMaxSchemaDepth = 8;

std::string value_for(const bj::value& schema, int depth);

std::string object_for(const bj::object& schema, int depth) {
  std::string out = "{";
  const bj::value* properties = schema.if_contains("properties");
  if (properties != nullptr && properties->is_object()) {
    for (const auto& [name, property] : properties->get_object()) {
      if (out.size() > 1) out += ',';
      out += quoted(name) + ":" + value_for(property, depth + 1);
    }
  }
  return out + "}";
}

// The smallest value that satisfies the usual keywords of a JSON schema.
std::string value_for(const bj::value& schema, int depth) {
  if (!schema.is_object() || depth > kMaxSchemaDepth) return "null";
  const bj::object& fields = schema.get_object();
  if (const bj::value* choices = fields.if_contains("enum");
      choices != nullptr && choices->is_array() && !choices->get_array().empty()) {
    return bj::serialize(choices->get_array().front());
  }
  const bj::value* type = fields.if_contains("type");
  const std::string_view name =
      type != nullptr && type->is_string() ? std::string_view(type->get_string()) : "object";
  if (name == "string") return "\"mock\"";
  if (name == "integer" || name == "number") return "1";
  if (name == "boolean") return "true";
  if (name == "array") {
    const bj::value* items = fields.if_contains("items");
    return items == nullptr ? "[]" : "[" + value_for(*items, depth + 1) + "]";
  }
  return name == "null" ? "null" : object_for(fields, depth);
}

std::string json_answer(const Call& call) {
  if (call.ask.response_format != "json_schema") return R"({"answer":"mock","count":1})";
  boost::system::error_code failed;
  const bj::value body = bj::parse(call.body, failed);
  const bj::value* schema =
      failed ? nullptr : body.find_pointer("/response_format/json_schema/schema", failed);
  return schema == nullptr ? "{}" : value_for(*schema, 0);
}

Task<void> json_mode(Call& call) {
  const std::string text = json_answer(call);
  co_await answer_text(call, text, kPieceBytes);
}

constexpr Behaviour kRows[] = {
    {"tool-calls", "calls the first tool offered; in words once a tool has answered", tool_calls},
    {"tool-no-type", "the same, its deltas without `type`", tool_no_type},
    {"tool-no-index", "the same, its deltas without `index`", tool_no_index},
    {"vision", "says how many images it was shown", vision},
    {"json", "a JSON object, fitting the schema if there is one", json_mode},
    {"reasoning", "reasoning_content first, then words", reasoning},
    {"demo", "introduces itself, word by word, as dev.sh shows it", demo, {.chunk_ms = 30}},
    {"echo", "the request body as it came", echo},
    {"echo-headers", "the request headers as a JSON object, names in lower case", echo_headers},
    {"nonce", "the word `nonce-...` of the last message, in every piece", nonce},
};

}  // namespace

std::span<const Behaviour> content_behaviours() {
  return kRows;
}

}  // namespace deeppool::mock
