// RequestParser: one full validating walk over a request body, for parse_request() and
// count_prompt_tokens(). Lives on the stack of one call; after a fault everything returns false.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/reader.h"
#include "llm/openai/request.h"
#include "llm/openai/request_fields.h"

namespace deeppool::llm {

class RequestParser {
 public:
  // With a tokenizer, the first `counted_bytes` of the text are counted too (slow); else it is only
  // measured.
  RequestParser(Api api, const json::PaddedBytes& body, const Tokenizer* tokenizer,
                int64_t counted_bytes = INT64_MAX);

  // False: see error().
  bool parse();
  RequestView& view() { return view_; }
  Error error() const;
  // Of the whole text: what was not counted is taken to be like the rest.
  int64_t counted_tokens() const;

 private:
  // request_parser.cc: the fields
  bool read_field(const Field& field);
  bool read_generic(const Field& field);
  bool read_field_text(std::string_view name);
  bool read_model();
  bool read_stream();
  bool read_stream_options();
  bool read_reasoning_effort();
  bool read_enable_thinking();
  bool read_stop();
  bool read_encoding_format();
  bool read_response_format();
  bool read_count(std::string_view name, int64_t limit, std::optional<int64_t>& value);
  bool read_choices(std::string_view name, int64_t& choices);
  bool read_limit(std::string_view name, std::optional<int64_t>& value, ByteRange& where);
  bool check_whole();

  // request_messages.cc: what the model reads
  bool read_messages();
  bool read_message();
  bool read_content();
  bool read_part();
  bool read_text(std::string_view member);
  bool is_remote(ByteRange value) const;
  void note_media(ByteRange value);
  bool read_audio();
  void skip_other();
  bool read_tool_calls();
  bool read_called_function();
  bool read_tools(std::string_view field);
  bool read_tool();
  bool read_function(std::string_view field);
  bool read_prompt(std::string_view field);
  bool read_token_ids(std::string_view field, int index);
  void add_text(const json::StringToken& token);
  void add_json_text(ByteRange range);
  bool counts_on() const;
  void count(std::string_view text);
  std::string message_path(std::string_view member) const;
  std::string part_path(std::string_view member) const;

  bool refuse(std::string param, std::string what);
  bool expect(json::Kind kind, std::string_view param);
  // Consumes a null, if that comes next.
  bool take_null();

  json::Reader reader_;
  const Tokenizer* tokenizer_;
  RequestView view_;
  std::optional<Error> error_;
  std::string scratch_;
  uint64_t seen_ = 0;
  bool has_input_ = false;
  bool has_stream_options_ = false;
  std::optional<int64_t> max_completion_tokens_;
  std::optional<bool> effort_;
  std::optional<bool> thinking_;
  const int64_t counted_bytes_;
  int64_t counted_text_ = 0;  // bytes of the text that counted_tokens_ is of
  int64_t counted_tokens_ = 0;
  int message_index_ = 0;
  int part_index_ = 0;
  int images_in_message_ = 0;
};

}  // namespace deeppool::llm
