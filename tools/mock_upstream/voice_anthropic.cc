// Anthropic's Messages.
#include "base/text.h"
#include "mock_upstream/voice.h"

namespace deeppool::mock {
namespace {

constexpr std::string_view kFinishes[4] = {"end_turn", "max_tokens", "tool_use", "refusal"};
constexpr std::string_view kGarbageUsage =
    R"({"input_tokens":"many","output_tokens":-5,"cache_read_input_tokens":1e999})";

std::string quoted(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

std::string usage_json(const Usage& usage) {
  const std::string written = std::to_string(usage.cache_write);
  return "{\"input_tokens\":" +
         std::to_string(usage.prompt - usage.cache_read - usage.cache_write) +
         ",\"cache_creation_input_tokens\":" + written +
         ",\"cache_read_input_tokens\":" + std::to_string(usage.cache_read) +
         ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":" + written +
         ",\"ephemeral_1h_input_tokens\":0},\"output_tokens\":" + std::to_string(usage.completion) +
         ",\"output_tokens_details\":{\"thinking_tokens\":" + std::to_string(usage.reasoning) +
         "},\"service_tier\":\"standard\"}";
}

// A block of content; a stream opens it with nothing in it yet.
std::string thinking_block(std::string_view thought, std::string_view signature) {
  return R"({"type":"thinking","thinking":)" + quoted(thought) + ",\"signature\":\"" +
         std::string(signature) + "\"}";
}
std::string redacted_block() {
  return R"({"type":"redacted_thinking","data":")" + signature_of("redacted") + "\"}";
}
std::string text_block(std::string_view escaped) {
  return R"({"type":"text","text":")" + std::string(escaped) + "\"}";
}
std::string tool_block(const ToolCall& call, std::string_view input) {
  return R"({"type":"tool_use","id":)" + quoted(call.id) + ",\"name\":" + quoted(call.name) +
         ",\"input\":" + std::string(input) + "}";
}

class Anthropic : public Voice {
 public:
  using Voice::Voice;

  void open(Events& out) override {
    Usage usage = used();
    usage.completion = 1;
    if (style_.usage == UsagePlace::on_finish) usage = {};  // corrected by the last one
    std::string json = "{\"type\":\"message_start\",\"message\":";
    append_message(json, "", "null", usage_text(usage));
    out.push_back({"message_start", json + "}"});
    out.push_back({"ping", R"({"type":"ping"})"});
  }

  void say(const Piece& piece, Events& out) override {
    const bool opens = block_ < 0 || piece.kind == Piece::Kind::call ||
                       (piece.kind != Piece::Kind::arguments && piece.kind != kind_);
    if (opens) {
      close_block(out);
      open_block(piece, out);
    }
    if (piece.kind == Piece::Kind::thought && !content_.redacted) {
      delta(out, "thinking_delta", "thinking", piece);
    } else if (piece.kind == Piece::Kind::text) {
      delta(out, "text_delta", "text", piece);
    } else if (piece.kind == Piece::Kind::arguments) {
      delta(out, "input_json_delta", "partial_json", piece);
    }
    if (style_.usage == UsagePlace::every_chunk) {
      out.push_back({"message_delta", message_delta("null", ",\"usage\":" + usage_json(used()))});
    }
  }

  void close(Events& out) override {
    close_block(out);
    if (style_.finish) {
      std::string usage = usage_text(used());
      if (style_.usage == UsagePlace::as_asked) {
        usage = ",\"usage\":{\"output_tokens\":" + std::to_string(used().completion) + "}";
      }
      out.push_back({"message_delta", message_delta('"' + finish(kFinishes) + '"', usage)});
    }
    if (style_.done) out.push_back({"message_stop", R"({"type":"message_stop"})"});
  }

  std::string whole() override {
    std::string blocks;
    const auto add = [&blocks](const std::string& block) {
      blocks += (blocks.empty() ? "" : ",") + block;
    };
    const std::string thought = content_.thought();
    if (!thought.empty()) {
      add(content_.redacted ? redacted_block() : thinking_block(thought, signature_of(thought)));
    }
    const std::string text = content_.text();
    if (!text.empty()) add(text_block(text));
    for (const ToolCall& call : content_.calls) {
      std::string input;
      for (const std::string& part : call.arguments) input += part;
      add(tool_block(call, input));
    }
    std::string out;
    append_message(out, blocks, '"' + finish(kFinishes) + '"', usage_text(used()));
    return out;
  }

  // A kind of event that came later than the client.
  Event odd_event() const override { return {"weather", R"({"type":"weather","sky":"blue"})"}; }
  Event late_event() const override {
    return {"content_block_delta", R"({"type":"content_block_delta","index":0,)"
                                   R"("delta":{"type":"text_delta","text":"LATE"}})"};
  }

 private:
  void append_message(std::string& out, std::string_view blocks, std::string_view stop,
                      std::string_view usage) const {
    out += "{\"id\":\"" + call_.identity.id + "\",\"type\":\"message\",";
    if (style_.role) out += "\"role\":\"assistant\",";
    out += "\"model\":" + quoted(call_.identity.model) + ",\"content\":[";
    out += blocks;
    out += "],\"stop_reason\":";
    out += stop;
    out += ",\"stop_sequence\":null";
    out += usage;
    out += '}';
  }

  std::string usage_text(const Usage& usage) const {
    if (style_.usage == UsagePlace::none) return "";
    if (style_.usage == UsagePlace::zero) return ",\"usage\":" + usage_json({});
    if (style_.usage == UsagePlace::garbage) return ",\"usage\":" + std::string(kGarbageUsage);
    return ",\"usage\":" + usage_json(usage);
  }

  static std::string message_delta(const std::string& stop, const std::string& usage) {
    return R"({"type":"message_delta","delta":{"stop_reason":)" + stop +
           ",\"stop_sequence\":null}" + usage + "}";
  }

  void open_block(const Piece& piece, Events& out) {
    ++block_;
    kind_ = piece.kind;
    std::string block = text_block("");
    if (piece.kind == Piece::Kind::thought) {
      block = content_.redacted ? redacted_block() : thinking_block("", "");
    } else if (piece.kind == Piece::Kind::call) {
      block = tool_block(content_.calls[piece.call], "{}");
    }
    out.push_back({"content_block_start",
                   "{\"type\":\"content_block_start\",\"index\":" + std::to_string(block_) +
                       ",\"content_block\":" + block + "}"});
    if (piece.kind == Piece::Kind::call) {  // the first fragment is empty, as Anthropic's is
      out.push_back(delta_event(R"("type":"input_json_delta","partial_json":"")"));
    }
  }

  void close_block(Events& out) {
    if (block_ < 0) return;
    if (kind_ == Piece::Kind::thought && !content_.redacted) {
      out.push_back(delta_event(R"("type":"signature_delta","signature":")" +
                                signature_of(content_.thought()) + '"'));
    }
    out.push_back({"content_block_stop",
                   "{\"type\":\"content_block_stop\",\"index\":" + std::to_string(block_) + "}"});
  }

  void delta(Events& out, std::string_view type, std::string_view field, const Piece& piece) {
    std::string inside = "\"type\":\"" + std::string(type) + "\",\"" + std::string(field) + "\":\"";
    content_.append(inside, piece);
    out.push_back(delta_event(inside + '"'));
  }

  Event delta_event(const std::string& inside) const {
    return {"content_block_delta", "{\"type\":\"content_block_delta\",\"index\":" +
                                       std::to_string(block_) + ",\"delta\":{" + inside + "}}"};
  }

  int64_t block_ = -1;
  Piece::Kind kind_ = Piece::Kind::text;
};

}  // namespace

std::unique_ptr<Voice> anthropic_voice(const Call& call, const Content& content) {
  return std::make_unique<Anthropic>(call, content);
}

}  // namespace deeppool::mock
