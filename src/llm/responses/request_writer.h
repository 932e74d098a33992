// RequestWriter: one Responses request on its way into the house dialect. Lives on the stack of
// to_house(); after a fault everything returns false.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/shallow.h"
#include "llm/field_path.h"
#include "llm/json_out.h"
#include "llm/responses/request.h"

namespace deeppool::llm::responses {

class RequestWriter {
 public:
  explicit RequestWriter(const json::ShallowObject& request) : request_(request), json_(out_) {}

  // False: see path().
  bool write();
  FieldPath& path() { return path_; }
  const std::string& text() const { return out_; }
  Asked& asked() { return asked_; }

 private:
  // An assistant's turn as it is gathered: the house has one message where items were several.
  struct Turn {
    bool any = false;
    bool has_text = false;
    std::string text;      // escaped
    std::string thoughts;  // escaped
    std::string details;   // elements of reasoning_details
    std::string calls;     // elements of tool_calls
  };

  // request_writer.cc: the fields
  bool refuse_state();
  bool refuse_chat_words();
  bool write_options();
  bool write_limit();
  bool write_reasoning();
  bool write_text();
  bool write_format(const json::ShallowObject& format);
  bool write_tools();
  bool write_tool(const json::ShallowObject& tool);
  bool write_tool_choice();
  bool write_allowed_tools(const json::ShallowObject& choice);
  void write_function_name(std::string_view name);
  bool read_include();
  void write_rest();
  void repeat_request();

  // request_items.cc: the input
  bool write_messages();
  bool write_items(json::Value input);
  bool write_item(const json::ShallowObject& item);
  bool write_message(const json::ShallowObject& item);
  bool write_parts(std::string_view role, json::Value content);
  bool write_part(JsonOut& json, const json::ShallowObject& part);
  bool write_image(JsonOut& json, const json::ShallowObject& part);
  bool write_file(JsonOut& json, const json::ShallowObject& part);
  bool add_assistant_text(json::Value content);
  bool add_assistant_part(const json::ShallowObject& part);
  bool add_reasoning(const json::ShallowObject& item);
  bool add_summaries(const json::ShallowObject& item, std::string_view member, std::string& text);
  bool add_kept_reasoning(json::Value encrypted, std::string_view shown);
  bool add_call(const json::ShallowObject& item);
  bool write_call_output(const json::ShallowObject& item);
  bool write_output_parts(const json::ShallowObject& item);
  void write_plain(std::string_view role, json::Value text);
  void end_turn();
  void end_outputs();

  bool required_string(const json::ShallowObject& of, std::string_view member, json::Value& value);

  const json::ShallowObject& request_;
  FieldPath path_;
  std::string out_;
  JsonOut json_;
  Asked asked_;
  Turn turn_;
  std::string attachments_;  // pictures and files that tools returned
  std::vector<std::pair<std::string, std::string>> extra_contents_;  // by call_id as it is spelt
  bool has_tools_ = false;
};

}  // namespace deeppool::llm::responses
