#include "llm/anthropic/whole_message.h"

#include "llm/answer_parts.h"
#include "llm/anthropic/answer_words.h"
#include "llm/opaque.h"

namespace deeppool::llm::anthropic {

namespace {

// The blocks of `content`.
class Blocks final : public PartSink {
 public:
  Blocks(std::string& out, std::string_view id) : json_(out), id_(id) {}

  void begin_reasoning() override { text_.clear(); }
  void reasoning(std::string_view piece) override { text_ += piece; }
  void end_reasoning(std::string_view signature) override {
    begin("thinking");
    json_.raw("thinking", text_);
    json_.raw("signature", signature);
    json_.end_object();
  }
  void redacted(std::string_view data) override {
    begin("redacted_thinking");
    json_.raw("data", data);
    json_.end_object();
  }
  void opaque(std::string_view json) override { redacted(to_opaque(json)); }
  void begin_text() override { text_.clear(); }
  void text(std::string_view piece) override { text_ += piece; }
  void end_text() override {
    begin("text");
    json_.raw("text", text_);
    json_.end_object();
  }
  void begin_tool(std::string_view id, std::string_view name) override {
    begin("tool_use");
    json_.raw("id", id.empty() ? tool_id(id_, count_ - 1) : id);
    json_.raw("name", name);
    text_.clear();
  }
  void tool_arguments(std::string_view piece) override { text_ += piece; }
  void end_tool() override {
    json_.key("input");
    write_tool_input(json_, text_);
    json_.end_object();
  }

 private:
  void begin(std::string_view type) {
    ++count_;
    json_.object();
    json_.raw("type", type);
  }

  JsonOut json_;
  std::string_view id_;
  std::string text_;  // of the open part
  int64_t count_ = 0;
};

}  // namespace

std::string tool_id(std::string_view message_id, int64_t index) {
  return "toolu_" + std::string(message_id) + "_" + std::to_string(index);
}

Result<std::string> whole_message(const json::PaddedBytes& house_answer, std::string_view id) {
  HouseAnswer answer;
  if (!read_house_answer(house_answer.view(), answer) || !answer.has_choices) {
    return Error(ErrorCode::internal, "The answer could not be put into the caller's protocol.",
                 "no chat completion");
  }
  std::string out;
  out.reserve(house_answer.size() + 256);
  JsonOut json(out);
  json.object();
  json.raw("id", message_id(answer.id, id));
  json.json("type", "\"message\"");
  json.json("role", "\"assistant\"");
  json.raw("model", answer.model);
  json.key("content");
  json.array();
  Blocks blocks(out, id);
  PartSequence parts(blocks);
  parts.feed_whole(answer);
  parts.close();
  json.end_array();
  write_stop(
      json, {answer.finish_reason, answer.stop_sequence, answer.stop_reason, parts.called_tools()});
  json.key("usage");
  write_usage(json, answer.usage, 0);
  json.end_object();
  return out;
}

}  // namespace deeppool::llm::anthropic
