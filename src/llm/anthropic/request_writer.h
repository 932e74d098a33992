// RequestWriter: one Messages request on its way into the house dialect. Lives on the stack of
// to_house(); after a fault everything returns false.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/shallow.h"
#include "llm/anthropic/request.h"
#include "llm/field_path.h"
#include "llm/json_out.h"

namespace deeppool::llm::anthropic {

class RequestWriter {
 public:
  explicit RequestWriter(const json::ShallowObject& request) : request_(request), json_(out_) {}

  // False: see path().
  bool write(Purpose purpose, std::string_view betas);
  FieldPath& path() { return path_; }
  const std::string& text() const { return out_; }
  int64_t prompt_tokens() const;

 private:
  struct Block {
    size_t index = 0;  // in its array
    std::string type;
    json::ShallowObject object;
  };
  using Blocks = std::vector<Block>;

  // request_writer.cc: the fields
  bool write_options();
  bool write_max_tokens(Purpose purpose);
  bool write_stop_sequences();
  bool write_reasoning();
  bool read_effort(std::string& effort);
  bool write_response_format(json::Value format);
  bool write_user();
  bool write_tools();
  bool write_tool(const json::ShallowObject& tool);
  bool write_tool_choice();
  void write_rest(std::string_view betas);

  // request_messages.cc: what the model reads
  bool write_messages();
  bool write_message(const json::ShallowObject& message);
  bool write_system(json::Value content);
  bool write_user_turn(json::Value content);
  bool write_assistant_turn(json::Value content);
  void write_plain(std::string_view role, json::Value content);
  bool read_blocks(json::Value content, Blocks& blocks);
  bool write_tool_result(const Block& block, JsonOut& attachments);
  bool write_result_parts(const Block& block, JsonOut& texts, JsonOut& attachments);
  bool write_user_parts(const Blocks& blocks, std::string_view attachments);
  void write_content(const std::string& parts, const Blocks& texts);
  bool write_thoughts(const Blocks& blocks);
  bool take_redacted(const Block& block, int64_t& place, JsonOut& details);
  bool write_tool_calls(const Blocks& blocks);
  bool write_tool_call(const Block& block);

  // request_parts.cc: single blocks
  bool write_part(JsonOut& json, const Block& block);
  bool write_text(JsonOut& json, const Block& block);
  bool write_image(JsonOut& json, const Block& block);
  bool write_document(JsonOut& json, const Block& block);
  bool write_document_text(JsonOut& json, const Block& block, json::Value text);
  bool write_search_result(JsonOut& json, const Block& block);
  bool write_file(JsonOut& json, const Block& block, const json::ShallowObject& source);
  bool write_url(JsonOut& json, const json::ShallowObject& source);
  void write_text_part(JsonOut& json, std::string_view escaped, const json::ShallowObject& of);
  void write_cache_control(JsonOut& json, const json::ShallowObject& of);

  bool unsupported(std::string_view type);
  bool required_string(const json::ShallowObject& of, std::string_view member, json::Value& value);

  const json::ShallowObject& request_;
  FieldPath path_;
  std::string out_;
  JsonOut json_;
  std::vector<std::string_view> own_tools_;  // Anthropic's own, as they stand
  bool has_functions_ = false;
  // What vendors want back with tool calls, by the call's id as it is spelt.
  std::vector<std::pair<std::string, std::string>> extra_contents_;
  size_t text_bytes_ = 0;
  int64_t images_ = 0;
};

}  // namespace deeppool::llm::anthropic
