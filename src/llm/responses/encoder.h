// ResponsesEncoder: house answers as OpenAI's Responses API sends them: response.created first,
// each output item opened, filled and closed before the next, numbered events, a last event with
// the whole response. One per answer, on its loop; keeps the answer's text, because the protocol
// repeats it, and allocates nothing else per piece. Source: the event order that openai-node's and
// AI SDK's stream readers ask for (2026-11).
#pragma once

#include <string>
#include <string_view>

#include "llm/answer_encoder.h"
#include "llm/answer_parts.h"
#include "llm/responses/request.h"

namespace deeppool::llm::responses {

class ResponsesEncoder final : public AnswerEncoder, private PartSink {
 public:
  // `id`: of the answer, behind "resp_" and the like.
  ResponsesEncoder(std::string id, Asked asked);

  void chunk(std::string_view house_json, std::string& out) override;
  void end(std::string& out) override;
  void error(const ErrorText& error, std::string& out) override;
  Result<std::string> whole(const json::PaddedBytes& house_answer) override;

 private:
  enum class Status : uint8_t { in_progress, completed, incomplete, failed };

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
  Status ending() const;
  // Events: begin, members, end.
  void begin_event(std::string_view type);
  void end_event() { *out_ += "}\n\n"; }
  void event(std::string_view type, std::string_view members);
  void response_event(std::string_view type, Status status);
  void write_response(std::string& out, Status status) const;

  void begin_item(std::string_view id_prefix);
  void add_item(const std::string& item);
  void end_item(const std::string& item);
  std::string place() const;
  void begin_pieces(std::string_view type, std::string_view index, std::string_view tail);
  void piece(std::string_view escaped);
  std::string reasoning_item(std::string_view part, std::string_view detail) const;
  std::string text_item(std::string_view status, std::string_view content) const;
  std::string call_item(std::string_view status) const;
  void kept_reasoning(std::string_view detail);

  const std::string id_;
  const Asked asked_;
  PartSequence parts_;
  std::string* out_ = nullptr;  // while a call lasts
  bool started_ = false;
  int64_t sequence_ = 0;
  int64_t output_index_ = -1;
  std::string item_id_;
  std::string piece_head_;   // of the open part's delta events, up to their number
  std::string piece_place_;  // from there to the quote that opens the piece
  std::string piece_tail_;
  std::string text_;  // of the open part, escaped
  std::string call_id_;
  std::string call_name_;
  std::string output_;  // the items that are complete
  std::string model_;
  std::string created_ = "0";
  std::string finish_reason_;
  std::string usage_;     // the house's
  std::string deeppool_;  // why we ended it
  std::string error_;     // the response's member
};

}  // namespace deeppool::llm::responses
