// Behaviours that say something else than words, all properly framed.
#include <algorithm>

#include "base/text.h"
#include "mock_upstream/behaviour.h"
#include "mock_upstream/limits.h"

namespace deeppool::mock {
namespace {

constexpr size_t kPieceBytes = 12;  // of texts: several chunks for any JSON answer
constexpr size_t kEchoPieceBytes = 4096;

std::string quoted(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

// ---- JSON that fits a schema

constexpr int kMaxSchemaDepth = 8;

std::string value_for(const bj::value& schema, int depth);

std::string object_for(const bj::object& schema, int depth) {
  std::string out = "{";
  if (const bj::object* properties = object_member(schema, "properties")) {
    for (const auto& [name, property] : *properties) {
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
  const bj::array* choices = array_member(fields, "enum");
  if (choices != nullptr && !choices->empty()) return bj::serialize(choices->front());
  std::string name(text_member(fields, "type"));
  for (char& c : name) c = base::lower(c);  // Gemini writes STRING
  if (name == "string") return "\"mock\"";
  if (name == "integer" || name == "number") return "1";
  if (name == "boolean") return "true";
  if (name == "array") {
    const bj::value* items = member(fields, "items");
    return items == nullptr ? "[]" : "[" + value_for(*items, depth + 1) + "]";
  }
  return name == "null" ? "null" : object_for(fields, depth);
}

std::string fitting(const std::string& schema) {
  boost::system::error_code failed;
  const bj::value parsed = bj::parse(schema, failed);
  return failed ? "{}" : value_for(parsed, 0);
}

// ---- tools

constexpr size_t kArgumentBytes = 5;  // of a streamed piece: cuts names, numbers and escapes

// `args=schema`: what the tool's schema wants. `arg_bytes=`: a long text with everything in it that
// a relay could spoil. Else a text for the schema's one property.
std::string tool_arguments(const Ask& ask, const Tool& tool) {
  const std::string name(ask.script.text("arg", "city"));
  if (ask.script.text("args", "") == "schema" && !tool.schema.empty()) return fitting(tool.schema);
  std::string text = "Paris";
  if (const int64_t bytes = ask.script.number("arg_bytes", 0); bytes > 0) {
    constexpr std::string_view kUnit =
        "line \"q\" \\ \t\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80 </x>\n";
    text.clear();
    while (static_cast<int64_t>(text.size()) < bytes) text += kUnit;
  }
  return "{" + quoted(name) + ":" + quoted(text) + "}";
}

std::string tool_id(const Call& call, int64_t index) {
  const std::string tail =
      call.identity.id + (index == 0 ? std::string() : "-" + std::to_string(index));
  switch (call.ask.dialect) {
    case Dialect::anthropic:
      return "toolu_" + tail;
    case Dialect::gemini:
      return call.ask.script.number("ids", 0) > 0 ? tail : "";
    case Dialect::openai:
      break;
  }
  return "call_" + tail;
}

// `calls=`: several at once, of the tools in turn. `words=`: something said before them.
void add_calls(const Call& call, Content& content) {
  const Ask& ask = call.ask;
  std::vector<Tool> tools = ask.tools;
  if (!ask.forced_tool.empty()) {
    std::erase_if(tools, [&ask](const Tool& tool) { return tool.name != ask.forced_tool; });
  }
  if (tools.empty()) tools.push_back({"get_weather", ""});
  const int64_t count = ask.script.number("calls", 1);
  for (int64_t i = 0; i < count; ++i) {
    const Tool& tool = tools[static_cast<size_t>(i) % tools.size()];
    content.calls.push_back({tool_id(call, i), tool.name,
                             text_content(tool_arguments(ask, tool), kArgumentBytes).texts});
  }
  content.words = ask.script.number("words", 0);
  content.finish = Finish::calls;
}

// Each a token. An answer that is gone on with has been thought about.
void add_thoughts(const Call& call, Content& content) {
  if (!call.ask.answered.empty()) return;
  const int64_t count = std::max<int64_t>(call.ask.script.number("reasoning", 4), 0);
  content.thoughts.assign(static_cast<size_t>(count), "I think, ");
  content.redacted = call.ask.script.number("redacted", 0) > 0;
}

struct ToolShape {
  bool type = true;
  bool index = true;
  bool thinks = false;
};

Task<void> call_tool(Call& call, ToolShape shape) {
  const bool in_words = call.ask.has_tool_result || call.ask.route != Route::chat;
  Content content = in_words ? word_content(call.ask) : Content{};
  if (!in_words) add_calls(call, content);
  if (shape.thinks) add_thoughts(call, content);
  content.call_type = shape.type;
  content.call_index = shape.index;
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
Task<void> thinking_tools(Call& call) {
  co_await call_tool(call, {.thinks = true});
}

// ---- texts

Task<void> answer_text(Call& call, std::string_view text, size_t piece_bytes) {
  Content content = text_content(text, piece_bytes);
  skip_answered(content, call.ask.answered);
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
  skip_answered(content, call.ask.answered);
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
  if (call.ask.route == Route::embeddings) {
    co_await answer(call);
    co_return;
  }
  Content content = word_content(call.ask);
  if (call.ask.route == Route::chat) add_thoughts(call, content);
  co_await answer_with(call, content);
}

// Some words, then the vendor's own guard steps in.
Task<void> refusal(Call& call) {
  Content content = word_content(call.ask);
  content.words = std::min<int64_t>(content.words, 3);
  content.finish = Finish::filter;
  co_await answer_with(call, content);
}

Task<void> blocked(Call& call) {
  Content content;
  content.finish = Finish::filter;
  co_await answer_with(call, content);
}

// With a tool forced, which is how a schema is asked of models without a JSON mode, its arguments.
Task<void> json_mode(Call& call) {
  if (!call.ask.forced_tool.empty() && !call.ask.wants_json) {
    co_await call_tool(call, {});
    co_return;
  }
  const std::string text =
      call.ask.schema.empty() ? R"({"answer":"mock","count":1})" : fitting(call.ask.schema);
  co_await answer_text(call, text, kPieceBytes);
}

constexpr Behaviour kRows[] = {
    {"tool-calls",
     "calls tools offered (calls=, args=schema, arg_bytes=); in words once they have answered",
     tool_calls},
    {"tool-no-type", "the same, its deltas without `type`", tool_no_type},
    {"tool-no-index", "the same, its deltas without `index`", tool_no_index},
    {"vision", "says how many images it was shown", vision},
    {"json", "a JSON object, fitting the schema if there is one", json_mode},
    {"reasoning", "thoughts first (reasoning=, redacted=), then words", reasoning},
    {"thinking-tools", "thoughts, then calls as tool-calls makes them", thinking_tools},
    {"refusal", "three words, and the vendor's guard ends it", refusal},
    {"blocked", "refused by the vendor's guard without a word", blocked},
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
