// Stream: the events of one Anthropic answer as house chunks. A text that comes is copied with its
// escapes as they stand; events alike but for their text are recognised by their first and last
// bytes, and cost no walk and no allocation. One per stream, on its loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/reader.h"
#include "provider/adapter.h"
#include "provider/anthropic/answer_words.h"

namespace deeppool::provider::anthropic {

class Stream final : public StreamTranslator {
 public:
  // `created`: unix seconds.
  explicit Stream(int64_t created) : created_(created) {}

  Verdict feed(const http::SseEvent& event, HouseEvents& out) override;

 private:
  // What a delta of text is to the house.
  enum class Text : uint8_t { content, reasoning, arguments };
  struct OpenBlock {
    enum class Kind : uint8_t { text, thinking, tool, ignored };
    int64_t index = 0;
    Kind kind = Kind::ignored;
    int tool = 0;           // of a tool: its number among the calls
    bool has_text = false;  // of a tool: some of its arguments came
    bool kept = true;       // of a thought: it is in `text` as far as it came
    std::string text;       // of a thought, raw; of a tool: the arguments that it began with
    std::string signature;  // raw
  };
  // An event that does nothing but bring text to one block: what stands around the text, as it
  // comes and as it goes.
  struct Mould {
    bool set = false;
    Text text = Text::content;
    int64_t index = 0;
    std::string head_in;
    std::string tail_in;
    std::string head_out;
    std::string tail_out;
  };
  // One event taken apart.
  struct Parts {
    std::string_view type;
    int64_t index = 0;
    json::Range message, block, delta, usage, error;
  };

  bool pour(std::string_view data, HouseEvents& out);
  bool take_apart(json::Reader& reader, Parts& parts);
  void start_message(std::string_view data, const Parts& parts, HouseEvents& out);
  void start_block(std::string_view data, const Parts& parts, HouseEvents& out);
  void take_delta(std::string_view data, const Parts& parts, HouseEvents& out);
  void stop_block(const Parts& parts, HouseEvents& out);
  void take_end(std::string_view data, const Parts& parts, HouseEvents& out);

  void begin(std::string_view id, std::string_view model, HouseEvents& out);
  void ensure_begun(HouseEvents& out);
  OpenBlock* find_block(int64_t index);
  void open_tool(std::string_view id, std::string_view name, OpenBlock& block, HouseEvents& out);
  void send_text(OpenBlock& block, Text text, std::string_view raw, HouseEvents& out);
  void keep_thought(OpenBlock& block, std::string_view raw);
  void set_mould(std::string_view data, json::Range text, const OpenBlock& block, Text kind);
  std::string text_head(const OpenBlock& block, Text text) const;
  static std::string_view text_tail(Text text);
  void send_delta(std::string_view members, HouseEvents& out);

  const int64_t created_;
  std::string open_;  // of every chunk, up to where its delta's members begin
  bool begun_ = false;
  int tool_count_ = 0;
  std::vector<OpenBlock> blocks_;
  Mould mould_;
  AnswerUsage usage_;
};

}  // namespace deeppool::provider::anthropic
