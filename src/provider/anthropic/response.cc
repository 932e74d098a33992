#include "provider/anthropic/response.h"

#include <string>
#include <string_view>

#include "base/text.h"
#include "json/reader.h"
#include "provider/anthropic/answer_words.h"
#include "provider/anthropic/content.h"

namespace deeppool::provider::anthropic {

using json::Kind;

namespace {

Error no_message(const char* detail) {
  return Error(ErrorCode::upstream_failed, "The model's provider answered wrongly.", detail);
}

// The content of a message, sorted into the places that a chat completion has for it. Raw texts.
class Answer {
 public:
  // False: this is no message.
  bool read(json::Reader& reader) {
    for (json::Members members(reader); members.next();) {
      const std::string_view key = members.key();
      const Kind kind = reader.peek();
      if (key == "type") {
        type_ = read_raw_string(reader);
      } else if (key == "id") {
        id_ = read_raw_string(reader);
      } else if (key == "model") {
        model_ = read_raw_string(reader);
      } else if (key == "stop_reason") {
        stop_reason_ = read_raw_string(reader);
      } else if (key == "stop_sequence") {
        stop_sequence_ = read_raw_string(reader);
      } else if (key == "usage") {
        usage_.read(reader);
      } else if (key == "content" && kind == Kind::array) {
        has_content_ = true;
        for (json::Elements blocks(reader); blocks.next();) read_block(reader, blocks.index());
      } else {
        reader.skip();
      }
    }
    return reader.finish() && has_content_;
  }

  bool is_error() const { return type_ == "error"; }

  std::string write(int64_t created) const {
    std::string out =
        "{\"id\":\"" + std::string(id_) + R"(","object":"chat.completion","created":)";
    base::append_int(out, created);
    out.append(",\"model\":\"").append(model_);
    out.append(R"(","choices":[{"index":0,"message":{"role":"assistant","content":)");
    if (text_.empty() && tool_count_ > 0) {
      out += "null";
    } else {
      out.append("\"").append(text_).append("\"");
    }
    out += ",\"refusal\":null";
    if (!thoughts_.empty()) out.append(R"(,"reasoning_content":")").append(thoughts_).append("\"");
    if (!details_.empty()) out.append(R"(,"reasoning_details":[)").append(details_).append("]");
    if (!tool_calls_.empty()) out.append(R"(,"tool_calls":[)").append(tool_calls_).append("]");
    out += R"(},"logprobs":null,)";
    append_finish(out, {stop_reason_, stop_sequence_, tool_count_});
    out += "}]";
    if (usage_.seen()) {
      out += ",\"usage\":";
      usage_.append_house(out);
    }
    return out += '}';
  }

 private:
  struct Block {
    std::string_view type, text, thinking, signature, data, id, name;
    std::string_view input = "{}";
  };

  void read_block(json::Reader& reader, int index) {
    if (reader.peek() != Kind::object) {
      reader.skip();
      return;
    }
    Block block;
    for (json::Members members(reader); members.next();) {
      const std::string_view key = members.key();
      if (key == "type") {
        block.type = read_raw_string(reader);
      } else if (key == "text") {
        block.text = read_raw_string(reader);
      } else if (key == "thinking") {
        block.thinking = read_raw_string(reader);
      } else if (key == "signature") {
        block.signature = read_raw_string(reader);
      } else if (key == "data") {
        block.data = read_raw_string(reader);
      } else if (key == "id") {
        block.id = read_raw_string(reader);
      } else if (key == "name") {
        block.name = read_raw_string(reader);
      } else if (key == "input" && reader.peek() == Kind::object) {
        block.input = reader.text(reader.skip());
      } else {
        reader.skip();
      }
    }
    take(block, index);
  }

  // Blocks of other types (what Anthropic's own tools did) have no place in a chat completion.
  void take(const Block& block, int index) {
    if (block.type == "text") {
      text_ += block.text;
    } else if (block.type == "thinking") {
      thoughts_ += block.thinking;
      if (block.signature.empty()) return;
      begin(details_).append(R"({"type":"thinking","thinking":")").append(block.thinking);
      details_.append(R"(","signature":")").append(block.signature);
      end_detail(index);
    } else if (block.type == "redacted_thinking") {
      begin(details_).append(R"({"type":"redacted_thinking","data":")").append(block.data);
      end_detail(index);
    } else if (block.type == "tool_use") {
      ++tool_count_;
      begin(tool_calls_).append(R"({"id":")").append(block.id);
      tool_calls_.append(R"(","type":"function","function":{"name":")").append(block.name);
      tool_calls_.append(R"(","arguments":)");
      base::append_json_string(tool_calls_, block.input);
      tool_calls_ += "}}";
    }
  }

  static std::string& begin(std::string& list) { return list.append(list.empty() ? "" : ","); }
  void end_detail(int index) {
    details_.append(R"(","index":)");
    base::append_int(details_, index);
    details_ += '}';
  }

  std::string_view type_, id_, model_, stop_reason_, stop_sequence_;
  std::string text_, thoughts_, details_, tool_calls_;
  int tool_count_ = 0;
  bool has_content_ = false;
  AnswerUsage usage_;
};

}  // namespace

Result<json::PaddedBytes> make_house_answer(json::PaddedBytes body, int64_t created) {
  json::Reader reader(body.view());
  if (reader.peek() != Kind::object) return no_message("the body is no JSON object");
  Answer answer;
  const bool is_message = answer.read(reader);
  if (reader.ok() && answer.is_error()) return body;
  if (!is_message) return no_message("the body is no message");
  return json::PaddedBytes(answer.write(created));
}

}  // namespace deeppool::provider::anthropic
