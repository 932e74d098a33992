#include "llm/anthropic/encoder.h"

#include <utility>

#include "llm/anthropic/answer_words.h"
#include "llm/anthropic/error.h"
#include "llm/anthropic/whole_message.h"
#include "llm/opaque.h"

namespace deeppool::llm::anthropic {

namespace {

// Clients go by the `event:` line, which must be there.
void append_event(std::string& out, std::string_view type, std::string_view members) {
  out += "event: ";
  out += type;
  out += "\ndata: {\"type\":\"";
  out += type;
  out += '"';
  out += members;
  out += "}\n\n";
}

}  // namespace

MessagesEncoder::MessagesEncoder(std::string id, int64_t prompt_tokens)
    : id_(std::move(id)), prompt_tokens_(prompt_tokens), parts_(*this) {}

void MessagesEncoder::chunk(std::string_view house_json, std::string& out) {
  HouseAnswer answer;
  if (!read_house_answer(house_json, answer)) return;
  out_ = &out;
  if (!started_) start(answer);
  parts_.feed(answer);
  note(answer);
}

void MessagesEncoder::start(const HouseAnswer& first) {
  started_ = true;
  std::string members = ",\"message\":";
  JsonOut json(members);
  json.object();
  json.raw("id", message_id(first.id, id_));
  json.json("type", "\"message\"");
  json.json("role", "\"assistant\"");
  json.raw("model", first.model);
  json.json("content", "[]");
  json.json("stop_reason", "null");
  json.json("stop_sequence", "null");
  json.key("usage");
  write_usage(json, {}, prompt_tokens_);
  json.end_object();
  append_event(*out_, "message_start", members);
}

void MessagesEncoder::note(const HouseAnswer& answer) {
  if (!answer.finish_reason.empty()) finish_reason_ = answer.finish_reason;
  if (!answer.stop_sequence.empty()) stop_sequence_ = answer.stop_sequence;
  if (!answer.stop_reason.empty()) stop_reason_ = answer.stop_reason;
  if (!answer.usage.empty()) usage_ = answer.usage;
  if (!answer.deeppool.empty()) deeppool_ = answer.deeppool;
}

void MessagesEncoder::end(std::string& out) {
  out_ = &out;
  if (!started_) start({});
  parts_.close();
  std::string members = ",\"delta\":{";
  JsonOut delta(members);
  write_stop(delta, {finish_reason_, stop_sequence_, stop_reason_, parts_.called_tools()});
  members += "},\"usage\":";
  const json::PaddedBytes usage(usage_);
  JsonOut json(members);
  write_usage(json, usage.view(), prompt_tokens_);
  if (!deeppool_.empty()) json.json("deeppool", deeppool_);
  append_event(out, "message_delta", members);
  append_event(out, "message_stop", {});
}

void MessagesEncoder::error(const ErrorText& error, std::string& out) {
  out += "event: error\ndata: ";
  out += error_body(error);
  out += "\n\n";
}

Result<std::string> MessagesEncoder::whole(const json::PaddedBytes& house_answer) {
  return whole_message(house_answer, id_);
}

void MessagesEncoder::begin_block(std::string_view content_block, std::string_view delta) {
  if (!waiting_.empty()) {
    const std::string before = std::exchange(waiting_, {});
    redacted(before);
  }
  ++block_;
  std::string members = ",\"index\":";
  base::append_int(members, block_);
  delta_head_ = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\"";
  delta_head_.append(members).append(",\"delta\":{").append(delta).append(":\"");
  members.append(",\"content_block\":").append(content_block);
  append_event(*out_, "content_block_start", members);
}

void MessagesEncoder::piece(std::string_view escaped) {
  *out_ += delta_head_;
  *out_ += escaped;
  *out_ += "\"}}\n\n";
}

void MessagesEncoder::end_block() {
  std::string members = ",\"index\":";
  base::append_int(members, block_);
  append_event(*out_, "content_block_stop", members);
}

void MessagesEncoder::begin_reasoning() {
  begin_block(R"({"type":"thinking","thinking":"","signature":""})",
              R"("type":"thinking_delta","thinking")");
}

void MessagesEncoder::reasoning(std::string_view text) {
  piece(text);
}

void MessagesEncoder::end_reasoning(std::string_view signature) {
  if (!signature.empty()) {
    std::string members = ",\"index\":";
    base::append_int(members, block_);
    members += R"(,"delta":{"type":"signature_delta","signature":")";
    members += signature;
    members += "\"}";
    append_event(*out_, "content_block_delta", members);
  }
  end_block();
}

void MessagesEncoder::redacted(std::string_view data) {
  begin_block(R"({"type":"redacted_thinking","data":")" + std::string(data) + "\"}", "");
  end_block();
}

void MessagesEncoder::opaque(std::string_view json) {
  if (!waiting_.empty()) redacted(std::exchange(waiting_, {}));
  waiting_ = to_opaque(json);
}

void MessagesEncoder::begin_text() {
  begin_block(R"({"type":"text","text":""})", R"("type":"text_delta","text")");
}

void MessagesEncoder::text(std::string_view escaped) {
  piece(escaped);
}

void MessagesEncoder::end_text() {
  end_block();
}

void MessagesEncoder::begin_tool(std::string_view id, std::string_view name) {
  std::string block = R"({"type":"tool_use","id":")";
  block += id.empty() ? tool_id(id_, block_ + 1) : std::string(id);
  block += R"(","name":")";
  block += name;
  block += R"(","input":{}})";
  begin_block(block, R"("type":"input_json_delta","partial_json")");
}

void MessagesEncoder::tool_arguments(std::string_view escaped) {
  piece(escaped);
}

void MessagesEncoder::end_tool() {
  end_block();
}

}  // namespace deeppool::llm::anthropic
