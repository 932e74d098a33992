// OpenAI's chat completions and completions.
#include "base/text.h"
#include "mock_upstream/voice.h"

namespace deeppool::mock {
namespace {

constexpr std::string_view kFinishes[4] = {"stop", "length", "tool_calls", "content_filter"};
constexpr std::string_view kGarbageUsage =
    R"({"prompt_tokens":"many","completion_tokens":-5,"total_tokens":1e999})";

std::string quoted(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

std::string usage_json(const Usage& usage) {
  const auto prompt = std::to_string(usage.prompt);
  std::string out =
      "{\"prompt_tokens\":" + prompt +
      ",\"completion_tokens\":" + std::to_string(usage.completion) +
      ",\"total_tokens\":" + std::to_string(usage.prompt + usage.completion) +
      ",\"prompt_tokens_details\":{\"cached_tokens\":" + std::to_string(usage.cache_read);
  if (usage.cache_write > 0) out += ",\"cache_write_tokens\":" + std::to_string(usage.cache_write);
  return out + ",\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":" +
         std::to_string(usage.reasoning) +
         ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}";
}

class OpenAi : public Voice {
 public:
  OpenAi(const Call& call, const Content& content)
      : Voice(call, content), chat_(call.identity.route == Route::chat), prefix_(prefix()) {}

  void open(Events& out) override {
    if (!style_.role || !chat_) return;
    add(out,
        R"([{"index":0,"delta":{"role":"assistant","content":"","refusal":null},)"
        R"("logprobs":null,"finish_reason":null}])",
        usage_so_far());
  }

  void say(const Piece& piece, Events& out) override {
    std::string choice;
    if (chat_) {
      choice = "[{\"index\":0,\"delta\":{";
      append_delta(choice, piece);
      choice += "},\"logprobs\":null,\"finish_reason\":null}]";
    } else {
      choice = "[{\"text\":\"";
      content_.append(choice, piece);
      choice += "\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}]";
    }
    add(out, choice, usage_so_far());
  }

  // Most say their usage, if they were asked, in a chunk of its own.
  void close(Events& out) override {
    const std::string usage = usage_at_end();
    if (style_.finish) {
      const std::string choice =
          std::string("[{\"index\":0,") + (chat_ ? R"("delta":{})" : R"("text":"")") +
          ",\"logprobs\":null,\"finish_reason\":\"" + finish(kFinishes) + "\"}]";
      const bool inside = style_.usage == UsagePlace::on_finish ||
                          style_.usage == UsagePlace::zero || style_.usage == UsagePlace::garbage;
      add(out, choice, inside ? usage : usage_so_far());
    }
    if (call_.ask.include_usage && style_.usage == UsagePlace::as_asked) add(out, "[]", usage);
  }

  std::string_view done() const override { return style_.done ? "[DONE]" : ""; }

  std::string whole() override {
    std::string out = opening(chat_ ? "chat.completion" : "text_completion");
    out += ",\"choices\":[{\"index\":0,";
    if (chat_) {
      append_message(out);
    } else {
      out += "\"text\":\"" + content_.text() + '"';
    }
    out += ",\"logprobs\":null,\"finish_reason\":\"" + finish(kFinishes) + "\"}]";
    const std::string usage = usage_at_end();
    if (style_.usage != UsagePlace::none) out += ",\"usage\":" + usage;
    return out + ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock\"}";
  }

  Event odd_event() const override {
    return {"", R"({"id":"usage-only","object":"chat.completion.chunk","created":1,)"
                R"("model":"mock","usage":null})"};
  }
  Event late_event() const override {
    return {"", R"({"id":"late","object":"chat.completion.chunk","created":1,"model":"mock",)"
                R"("choices":[{"index":0,"delta":{"content":"LATE"},"finish_reason":null}]})"};
  }

 private:
  std::string opening(std::string_view object) const {
    std::string out = "{\"id\":\"" + call_.identity.id + "\",\"object\":\"" + std::string(object);
    out += "\",\"created\":" + std::to_string(call_.identity.created) + ",\"model\":";
    base::append_json_string(out, call_.identity.model);
    return out;
  }
  std::string prefix() const {
    return opening(chat_ ? "chat.completion.chunk" : "text_completion") +
           ",\"system_fingerprint\":\"fp_mock\",\"choices\":";
  }

  void add(Events& out, std::string_view choices, std::string_view usage) {
    std::string json;
    json.reserve(prefix_.size() + choices.size() + usage.size() + 16);
    json += prefix_;
    json += choices;
    if (!usage.empty()) {
      json += ",\"usage\":";
      json += usage;
    }
    json += '}';
    out.push_back({"", std::move(json)});
  }

  std::string usage_so_far() const {
    if (style_.usage == UsagePlace::every_chunk) return usage_json(used());
    const bool asked = call_.ask.include_usage && style_.usage == UsagePlace::as_asked;
    return asked ? "null" : "";
  }
  std::string usage_at_end() const {
    if (style_.usage == UsagePlace::zero) return usage_json({});
    if (style_.usage == UsagePlace::garbage) return std::string(kGarbageUsage);
    return usage_json(used());
  }

  void append_delta(std::string& out, const Piece& piece) const {
    if (piece.kind == Piece::Kind::call || piece.kind == Piece::Kind::arguments) {
      out += "\"tool_calls\":[{";
      if (content_.call_index) out += "\"index\":" + std::to_string(piece.call) + ",";
      if (piece.kind == Piece::Kind::call) {
        append_call(out, content_.calls[piece.call], "\"\"");
      } else {
        out += "\"function\":{\"arguments\":\"";
        content_.append(out, piece);
        out += "\"}";
      }
      out += "}]";
      return;
    }
    out += piece.kind == Piece::Kind::thought ? "\"reasoning_content\":\"" : "\"content\":\"";
    content_.append(out, piece);
    out += '"';
  }

  void append_call(std::string& out, const ToolCall& call, std::string_view arguments) const {
    out += "\"id\":" + quoted(call.id) + ",";
    if (content_.call_type) out += "\"type\":\"function\",";
    out += "\"function\":{\"name\":" + quoted(call.name) +
           ",\"arguments\":" + std::string(arguments) + "}";
  }

  void append_message(std::string& out) const {
    out += "\"message\":{\"role\":\"assistant\",\"content\":";
    const std::string text = content_.text();
    out += text.empty() && !content_.calls.empty() ? "null" : '"' + text + '"';
    out += ",\"refusal\":null";
    if (!content_.thoughts.empty()) out += ",\"reasoning_content\":" + quoted(content_.thought());
    std::string_view comma = ",\"tool_calls\":[{";
    for (const ToolCall& call : content_.calls) {
      std::string arguments;
      for (const std::string& part : call.arguments) arguments += part;
      out += comma;
      append_call(out, call, quoted(arguments));
      out += '}';
      comma = ",{";
    }
    out += content_.calls.empty() ? ",\"annotations\":[]}" : "]}";
  }

  const bool chat_;
  const std::string prefix_;
};

}  // namespace

std::unique_ptr<Voice> openai_voice(const Call& call, const Content& content) {
  return std::make_unique<OpenAi>(call, content);
}

}  // namespace deeppool::mock
