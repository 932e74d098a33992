// PartSequence: an answer in the house dialect as the parts that other protocols send one after
// the other: reasoning, text, tool calls. One per answer, fed with its chunks or with the whole of
// it; no allocation per piece of text. Invariant: the sink sees begin, pieces and end of one part
// before the next begins, whatever order the upstream mixed them in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llm/house_answer.h"

namespace deeppool::llm {

// Where parts go. All texts are JSON strings without their quotes, escapes as written.
class PartSink {
 public:
  virtual ~PartSink() = default;
  virtual void begin_reasoning() = 0;
  virtual void reasoning(std::string_view piece) = 0;
  // The vendor's proof that the text is its own; empty if it gives none.
  virtual void end_reasoning(std::string_view signature) = 0;
  // Reasoning that only its vendor can read.
  virtual void redacted(std::string_view data) = 0;
  // JSON that the vendor wants back with the next turn.
  virtual void opaque(std::string_view json) = 0;
  virtual void begin_text() = 0;
  virtual void text(std::string_view piece) = 0;
  virtual void end_text() = 0;
  virtual void begin_tool(std::string_view id, std::string_view name) = 0;
  virtual void tool_arguments(std::string_view piece) = 0;
  virtual void end_tool() = 0;
};

// Whether the JSON object that comes in pieces of an escaped string has come to its end.
class ArgumentsProgress {
 public:
  void feed(std::string_view escaped);
  bool complete() const { return begun_ && depth_ == 0 && !in_string_; }

 private:
  void put(char c);

  int depth_ = 0;
  bool begun_ = false;
  bool in_string_ = false;
  bool skip_ = false;  // the character behind a backslash inside a string
};

class PartSequence {
 public:
  explicit PartSequence(PartSink& sink) : sink_(sink) {}

  // A chunk, whose tool calls may go on with those of the chunks before it.
  void feed(const HouseAnswer& answer) { take(answer, Calls::pieces); }
  // The only answer there is: every element of its tool calls is a call, whatever its id.
  void feed_whole(const HouseAnswer& answer) { take(answer, Calls::whole); }
  // Ends whatever is open.
  void close();
  bool called_tools() const { return !tools_.empty(); }

 private:
  enum class Open : uint8_t { nothing, reasoning, text, tool };
  struct Tool {
    int64_t index = 0;
    std::string id;
    std::string name;
    std::string arguments;  // that came while another call was not complete
    std::string extra_content;
  };

  enum class Calls : uint8_t { pieces, whole };
  void take(const HouseAnswer& answer, Calls calls);
  void take_reasoning(const HouseAnswer& answer);
  void take_detail(const ReasoningDetail& detail);
  void take_text(std::string_view piece);
  void take_content_parts(std::string_view parts);
  void take_thinking_parts(std::string_view parts);
  void take_thinking(std::string_view piece);
  void take_tool(const HouseToolCall& call, size_t i);
  size_t tool_of(const HouseToolCall& call);
  size_t new_tool(int64_t index);
  void advance_tools();
  void begin_next_tool();
  void flush_tools();
  void open_reasoning();
  void end_open();

  PartSink& sink_;
  Open open_ = Open::nothing;
  bool told_by_content_ = false;  // the open reasoning came as reasoning_content
  bool repeats_ = false;          // the details being read say again what came already
  std::vector<Tool> tools_;
  size_t next_tool_ = 0;  // the first that was not begun; the open one stands before it
  ArgumentsProgress progress_;
};

}  // namespace deeppool::llm
