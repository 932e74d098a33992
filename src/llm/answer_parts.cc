#include "llm/answer_parts.h"

#include <charconv>

#include "llm/json_out.h"

namespace deeppool::llm {

namespace {

// The character that an escape at `at` stands for, and how long it is. Only those that structure
// JSON matter: others become a letter.
struct Unescaped {
  char c;
  size_t length;
};
Unescaped unescape(std::string_view text, size_t at) {
  if (at + 1 >= text.size()) return {'x', 1};
  const char kind = text[at + 1];
  if (kind == '"' || kind == '\\') return {kind, 2};
  if (kind != 'u' || at + 6 > text.size()) return {' ', 2};
  unsigned code = 0;
  std::from_chars(text.data() + at + 2, text.data() + at + 6, code, 16);
  return {code < 0x80 ? static_cast<char>(code) : 'x', 6};
}

}  // namespace

void ArgumentsProgress::feed(std::string_view escaped) {
  for (size_t i = 0; i < escaped.size();) {
    if (escaped[i] != '\\') {
      put(escaped[i++]);
      continue;
    }
    const Unescaped one = unescape(escaped, i);
    put(one.c);
    i += one.length;
  }
}

void ArgumentsProgress::put(char c) {
  if (skip_) {
    skip_ = false;
  } else if (in_string_) {
    skip_ = c == '\\';
    in_string_ = c != '"';
  } else if (c == '"') {
    in_string_ = true;
  } else if (c == '{' || c == '[') {
    ++depth_;
    begun_ = true;
  } else if (c == '}' || c == ']') {
    --depth_;
  }
}

void PartSequence::take(const HouseAnswer& answer, Calls calls) {
  take_reasoning(answer);
  take_text(answer.content);
  if (!answer.content_parts.empty()) take_content_parts(answer.content_parts);
  take_text(answer.refusal);
  if (answer.tool_calls.empty()) return;
  json::Reader reader(answer.tool_calls);
  for (json::Elements elements(reader); elements.next();) {
    const HouseToolCall call = read_tool_call(reader);
    take_tool(call, calls == Calls::whole ? new_tool(-1) : tool_of(call));
  }
}

void PartSequence::take_reasoning(const HouseAnswer& answer) {
  if (answer.reasoning_details.empty()) {
    take_thinking(answer.reasoning);
    return;
  }
  std::string_view told;  // by the details: then reasoning_content says the same again
  json::Reader looking(answer.reasoning_details);
  for (json::Elements details(looking); details.next() && told.empty();) {
    told = read_reasoning_detail(looking).thinking;
  }
  repeats_ = open_ == Open::reasoning && told_by_content_ && answer.reasoning.empty();
  if (told.empty()) take_thinking(answer.reasoning);
  json::Reader reader(answer.reasoning_details);
  for (json::Elements details(reader); details.next();) {
    take_detail(read_reasoning_detail(reader));
  }
}

void PartSequence::take_detail(const ReasoningDetail& detail) {
  if (detail.type == "redacted_thinking") {
    end_open();
    sink_.redacted(detail.data);
  } else if (detail.type.starts_with("gemini.")) {
    end_open();
    sink_.opaque(detail.whole);
  } else if (detail.type == "thinking") {
    if (!detail.thinking.empty() && !repeats_) {
      open_reasoning();
      told_by_content_ = false;
      sink_.reasoning(detail.thinking);
    }
    if (detail.signature.empty()) return;
    open_reasoning();
    sink_.end_reasoning(detail.signature);
    open_ = Open::nothing;
  }
}

void PartSequence::take_text(std::string_view piece) {
  if (piece.empty()) return;
  if (open_ != Open::text) {
    end_open();
    sink_.begin_text();
    open_ = Open::text;
  }
  sink_.text(piece);
}

void PartSequence::take_content_parts(std::string_view parts) {
  json::Reader reader(parts);
  for (json::Elements elements(reader); elements.next();) {
    const HouseContentPart part = read_content_part(reader);
    if (!part.thinks) {
      take_text(part.text);
    } else if (!part.parts.empty()) {
      take_thinking_parts(part.parts);
    } else {
      take_thinking(part.text);
    }
  }
}

void PartSequence::take_thinking_parts(std::string_view parts) {
  json::Reader reader(parts);
  for (json::Elements elements(reader); elements.next();) {
    take_thinking(read_content_part(reader).text);
  }
}

void PartSequence::take_thinking(std::string_view piece) {
  if (piece.empty()) return;
  open_reasoning();
  told_by_content_ = true;
  sink_.reasoning(piece);
}

// Calls are told apart by their index; some vendors give all of them the same one, but an id each.
size_t PartSequence::tool_of(const HouseToolCall& call) {
  for (size_t i = tools_.size(); i > 0; --i) {
    const Tool& tool = tools_[i - 1];
    const bool other_id = !call.id.empty() && !tool.id.empty() && call.id != tool.id;
    const bool this_index = call.index < 0 ? i == tools_.size() : tool.index == call.index;
    if (this_index && !other_id) return i - 1;
  }
  return new_tool(call.index);
}

size_t PartSequence::new_tool(int64_t index) {
  Tool fresh;
  fresh.index = index < 0 ? static_cast<int64_t>(tools_.size()) : index;
  tools_.push_back(std::move(fresh));
  return tools_.size() - 1;
}

void PartSequence::take_tool(const HouseToolCall& call, size_t i) {
  Tool& tool = tools_[i];
  if (i >= next_tool_) {
    if (tool.id.empty()) tool.id = call.id;
    if (tool.name.empty()) tool.name = call.name;
    if (tool.extra_content.empty()) tool.extra_content = call.extra_content;
    tool.arguments += call.arguments;
  } else if (open_ == Open::tool && i + 1 == next_tool_ && !call.arguments.empty()) {
    sink_.tool_arguments(call.arguments);
    progress_.feed(call.arguments);
  }
  advance_tools();
}

void PartSequence::advance_tools() {
  while (next_tool_ < tools_.size()) {
    if (open_ == Open::tool && !progress_.complete()) return;
    if (tools_[next_tool_].name.empty()) return;
    begin_next_tool();
  }
}

void PartSequence::begin_next_tool() {
  Tool& tool = tools_[next_tool_];
  if (open_ == Open::tool) {
    sink_.end_tool();
    open_ = Open::nothing;
  }
  end_open();
  if (!tool.extra_content.empty()) {
    std::string kept;
    JsonOut json(kept);
    json.object();
    json.raw("type", "tool_call.extra_content");
    json.raw("id", tool.id);
    json.json("extra_content", tool.extra_content);
    json.end_object();
    sink_.opaque(kept);
  }
  // Results name their call: an id that came before tells nothing apart, and the sink has its own.
  for (size_t i = 0; i < next_tool_; ++i) {
    if (tools_[i].id == tool.id) tool.id.clear();
  }
  ++next_tool_;
  progress_ = {};
  open_ = Open::tool;
  sink_.begin_tool(tool.id, tool.name);
  if (tool.arguments.empty()) return;
  sink_.tool_arguments(tool.arguments);
  progress_.feed(tool.arguments);
  tool.arguments.clear();
}

void PartSequence::flush_tools() {
  while (next_tool_ < tools_.size()) begin_next_tool();
}

void PartSequence::open_reasoning() {
  if (open_ == Open::reasoning) return;
  end_open();
  sink_.begin_reasoning();
  open_ = Open::reasoning;
}

void PartSequence::end_open() {
  switch (open_) {
    case Open::nothing:
      return;
    case Open::reasoning:
      sink_.end_reasoning({});
      break;
    case Open::text:
      sink_.end_text();
      break;
    case Open::tool:
      open_ = Open::nothing;
      sink_.end_tool();
      flush_tools();
      if (open_ == Open::tool) sink_.end_tool();
      break;
  }
  open_ = Open::nothing;
}

void PartSequence::close() {
  end_open();
  flush_tools();
  end_open();
}

}  // namespace deeppool::llm
