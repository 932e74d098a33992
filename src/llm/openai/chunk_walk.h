// ChunkWalk: the reading of one event by ChunkRewriter, writing the rewritten event as it goes.
// Lives on the stack of one feed().
#pragma once

#include <string>
#include <string_view>

#include "json/reader.h"
#include "llm/openai/chunk.h"
#include "llm/openai/patch.h"

namespace deeppool::llm {

class ChunkWalk {
 public:
  ChunkWalk(ChunkRewriter& stream, std::string_view event_data, std::string& out)
      : stream_(stream),
        data_(event_data),
        reader_(event_data),
        patch_(event_data, out),
        mark_(out.size()) {}

  // False: not a valid JSON object; the output is garbage then.
  bool run();

  bool has_choices() const { return has_choices_; }
  bool choices_empty() const { return choice_count_ == 0; }
  bool may_be_error() const { return may_be_error_; }
  json::Range usage() const { return usage_; }
  // Where in the rewritten event the text read last begins.
  size_t generated_at() const { return generated_at_; }

 private:
  using Text = ChunkRewriter::Text;
  struct ToolCall {
    bool has_index = false;
    bool has_type = false;
    bool opens = false;
    bool custom = false;
  };

  void commit();
  bool take_prefix();
  void read_members(json::Members members, MemberPatch edit);
  void read_member(std::string_view key);
  void read_model();
  void read_usage();
  void read_id();
  void read_object_name();
  void read_choices();
  void read_choice(int position);
  void read_finish_reason();
  void read_delta();
  void rename_reasoning(uint32_t key_begin, const json::Reader& delta);
  void read_role(bool& has_role);
  void read_tool_calls();
  void read_tool_call();
  void read_tool_index(ToolCall& call, const json::Reader& start);
  void read_tool_type(ToolCall& call);
  void begin_tool();
  void read_named_text(std::string_view second);
  void read_parts(Text of);
  void read_part_member(std::string_view key, Text of);
  void read_generated(Text text);
  ChunkRewriter::Choice& choice_at(int64_t index);

  ChunkRewriter& stream_;
  std::string_view data_;
  json::Reader reader_;
  Patch patch_;
  size_t mark_;
  std::string scratch_;
  ChunkRewriter::Choice* choice_ = nullptr;
  ChunkRewriter::Choice spare_;  // for an index beyond any sane bound
  json::Range usage_;
  json::Range id_;
  json::Range created_;
  size_t prefix_end_ = 0;  // 0: no prefix worth remembering
  size_t prefix_out_size_ = 0;
  size_t generated_at_ = 0;
  int choice_count_ = 0;
  bool has_choices_ = false;
  bool has_model_ = false;
  bool may_be_error_ = false;
  bool plain_prefix_ = true;  // nothing but id, object, created and the unknown so far
};

}  // namespace deeppool::llm
