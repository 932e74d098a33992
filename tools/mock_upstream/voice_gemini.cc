// Gemini's generateContent: each event is a whole answer with a bit of the content.
#include "base/text.h"
#include "mock_upstream/voice.h"

namespace deeppool::mock {
namespace {

// Calls of tools have no finish reason of their own.
constexpr std::string_view kFinishes[4] = {"STOP", "MAX_TOKENS", "STOP", "SAFETY"};
constexpr std::string_view kGarbageUsage =
    R"({"promptTokenCount":"many","candidatesTokenCount":-5,"totalTokenCount":1e999})";

std::string quoted(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

// Thoughts are counted beside the candidates.
std::string usage_json(const Usage& usage) {
  std::string out =
      "{\"promptTokenCount\":" + std::to_string(usage.prompt) +
      ",\"candidatesTokenCount\":" + std::to_string(usage.completion - usage.reasoning) +
      ",\"totalTokenCount\":" + std::to_string(usage.prompt + usage.completion);
  if (usage.reasoning > 0) out += ",\"thoughtsTokenCount\":" + std::to_string(usage.reasoning);
  if (usage.cache_read > 0) {
    out += ",\"cachedContentTokenCount\":" + std::to_string(usage.cache_read);
  }
  return out + "}";
}

class Gemini : public Voice {
 public:
  using Voice::Voice;

  void open(Events&) override {}

  void say(const Piece& piece, Events& out) override {
    const std::string part = part_of(piece);
    if (!part.empty()) add(out, part, "");
  }

  void close(Events& out) override {
    if (blocked()) {
      out.push_back({"", blocked_answer()});
    } else {
      add(out, last_part(), style_.finish ? finish(kFinishes) : "");
    }
  }

  std::string whole() override {
    if (blocked()) return blocked_answer();
    std::string parts;
    const auto add_part = [&parts](const std::string& part) {
      parts += (parts.empty() ? "" : ",") + part;
    };
    if (!content_.thoughts.empty()) {
      add_part("{\"text\":" + quoted(content_.thought()) + ",\"thought\":true}");
    }
    const std::string text = content_.text();
    if (!text.empty()) {
      add_part("{\"text\":\"" + text + '"' + (content_.calls.empty() ? signed_thought() : "") +
               "}");
    }
    for (size_t i = 0; i < content_.calls.size(); ++i) add_part(call_part(i));
    return answer(parts, finish(kFinishes), Usage(used()));
  }

  Event odd_event() const override { return {"", R"({"modelVersion":"mock"})"}; }
  Event late_event() const override {
    return {"", R"({"candidates":[{"content":{"parts":[{"text":"LATE"}],"role":"model"},)"
                R"("index":0}]})"};
  }

 private:
  bool blocked() const { return content_.finish == Finish::filter && content_.pieces() == 0; }
  std::string blocked_answer() const {
    return "{\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"}" + tail(used()) + "}";
  }

  void add(Events& out, const std::string& parts, const std::string& finish_reason) const {
    Usage usage = used();
    const bool early = style_.usage == UsagePlace::on_finish && finish_reason.empty();
    std::string json = answer(parts, finish_reason, early ? std::nullopt : std::optional(usage));
    out.push_back({"", std::move(json)});
  }

  std::string answer(const std::string& parts, const std::string& finish_reason,
                     std::optional<Usage> usage) const {
    std::string out = "{\"candidates\":[{\"content\":{\"parts\":[" + parts + "]";
    if (style_.role) out += ",\"role\":\"model\"";
    out += "},";
    if (!finish_reason.empty()) out += "\"finishReason\":\"" + finish_reason + "\",";
    return out + "\"index\":0}]" + tail(usage) + "}";
  }

  std::string tail(std::optional<Usage> usage) const {
    std::string out;
    if (style_.usage == UsagePlace::zero) usage = Usage{};
    if (style_.usage == UsagePlace::garbage) {
      out = ",\"usageMetadata\":" + std::string(kGarbageUsage);
    } else if (usage && style_.usage != UsagePlace::none) {
      out = ",\"usageMetadata\":" + usage_json(*usage);
    }
    return out + ",\"modelVersion\":" + quoted(call_.identity.model) + ",\"responseId\":\"" +
           call_.identity.id + "\"";
  }

  // Empty: a call comes whole, with its last piece.
  std::string part_of(const Piece& piece) const {
    if (piece.kind == Piece::Kind::call || piece.kind == Piece::Kind::arguments) {
      return piece.last ? call_part(piece.call) : "";
    }
    std::string part = "{\"text\":\"";
    content_.append(part, piece);
    return part + (piece.kind == Piece::Kind::thought ? "\",\"thought\":true}" : "\"}");
  }

  std::string call_part(size_t index) const {
    const ToolCall& call = content_.calls[index];
    std::string part = "{\"functionCall\":{\"name\":" + quoted(call.name) + ",\"args\":";
    for (const std::string& text : call.arguments) part += text;
    if (!call.id.empty()) part += ",\"id\":" + quoted(call.id);
    part += '}';
    if (index == 0) part += ",\"thoughtSignature\":\"" + signature_of(call.name) + "\"";
    return part + "}";
  }

  std::string signed_thought() const {
    if (content_.thoughts.empty()) return "";
    return ",\"thoughtSignature\":\"" + signature_of(content_.thought()) + "\"";
  }
  std::string last_part() const {
    return "{\"text\":\"\"" + (content_.calls.empty() ? signed_thought() : "") + "}";
  }
};

}  // namespace

std::unique_ptr<Voice> gemini_voice(const Call& call, const Content& content) {
  return std::make_unique<Gemini>(call, content);
}

}  // namespace deeppool::mock
