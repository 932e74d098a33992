// MessagesEncoder: house answers as Anthropic's Messages API sends them (versions 2023-06-01 and
// 2026-10-21 alike): message_start, blocks numbered from 0 one after the other, message_delta with
// the whole usage, message_stop. One per answer, on its loop; no allocation per piece of text.
// No message ends with what only the vendor reads: a block that comes behind the last words of a
// stream is left out. Reasoning without a signature becomes thinking blocks with an empty one,
// which the request codec takes back; a tool call without an id gets one.
#pragma once

#include <string>
#include <string_view>

#include "llm/answer_encoder.h"
#include "llm/answer_parts.h"

namespace deeppool::llm::anthropic {

class MessagesEncoder final : public AnswerEncoder, private PartSink {
 public:
  // `id`: of the answer, behind "msg_", where the upstream's is not of that form. `prompt_tokens`:
  // what message_start says, before the upstream has counted.
  MessagesEncoder(std::string id, int64_t prompt_tokens);

  void chunk(std::string_view house_json, std::string& out) override;
  void end(std::string& out) override;
  void error(const ErrorText& error, std::string& out) override;
  Result<std::string> whole(const json::PaddedBytes& house_answer) override;

 private:
  void begin_reasoning() override;
  void reasoning(std::string_view piece) override;
  void end_reasoning(std::string_view signature) override;
  void redacted(std::string_view data) override;
  void opaque(std::string_view json) override;
  void begin_text() override;
  void text(std::string_view piece) override;
  void end_text() override;
  void begin_tool(std::string_view id, std::string_view name) override;
  void tool_arguments(std::string_view piece) override;
  void end_tool() override;

  void start(const HouseAnswer& first);
  void note(const HouseAnswer& answer);
  void begin_block(std::string_view content_block, std::string_view delta);
  void end_block();
  void piece(std::string_view escaped);

  const std::string id_;
  const int64_t prompt_tokens_;
  PartSequence parts_;
  std::string* out_ = nullptr;  // while a call lasts
  bool started_ = false;
  int64_t block_ = -1;
  std::string waiting_;     // opaque blocks that stand before the next other one, if there is one
  std::string delta_head_;  // of the open block, up to the quote that opens the piece
  std::string finish_reason_;
  std::string stop_sequence_;
  std::string stop_reason_;
  std::string usage_;     // the house's
  std::string deeppool_;  // why we ended it
};

}  // namespace deeppool::llm::anthropic
