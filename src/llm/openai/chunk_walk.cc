#include "llm/openai/chunk_walk.h"

#include <algorithm>
#include <utility>

#include "json/number.h"
#include "llm/limits.h"

namespace deeppool::llm {

using json::Kind;

namespace {

// A prefix worth remembering is short: id, object, created, model.
constexpr size_t kMaxPrefixBytes = 512;

// Looks ahead in an object for its `index`. Cold: upstreams write it first.
std::optional<int64_t> find_index(json::Reader at_object) {
  std::optional<int64_t> index;
  for (json::Members members(at_object); members.next();) {
    const bool match = members.key() == "index" && at_object.peek() == Kind::number;
    const json::Range value = at_object.skip();
    if (match) index = json::to_integer(at_object.text(value));
  }
  return index;
}

bool has_member(json::Reader at_object, std::string_view name) {
  bool found = false;
  for (json::Members members(at_object); members.next();) {
    found = found || members.key() == name;
    at_object.skip();
  }
  return found;
}

// Whether a tool call delta begins a new call: it has an id. Cold, too.
bool opens_call(json::Reader at_object) {
  bool opens = false;
  for (json::Members members(at_object); members.next();) {
    const bool id = members.key() == "id" && at_object.peek() == Kind::string;
    const json::Range value = at_object.skip();
    opens = opens || (id && value.size() > 2);
  }
  return opens;
}

}  // namespace

bool ChunkWalk::run() {
  if (take_prefix()) {
    const size_t done = stream_.shape_->prefix_in.size();
    read_members(json::Members::resume(reader_, done), MemberPatch::resume(patch_, done));
  } else {
    if (reader_.peek() != Kind::object) return false;
    const size_t brace = reader_.position();
    read_members(json::Members(reader_), MemberPatch(patch_, brace));
  }
  if (!reader_.finish()) return false;
  patch_.finish();
  commit();
  if (reader_.saw_line_break()) {
    std::string& out = patch_.out();
    std::replace_if(
        out.begin() + static_cast<ptrdiff_t>(mark_), out.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
  }
  return true;
}

// Only a valid event may leave traces in the stream.
void ChunkWalk::commit() {
  if (stream_.id_json_.empty()) stream_.id_json_ = reader_.text(id_);
  if (stream_.created_.empty()) stream_.created_ = reader_.text(created_);
  const bool first = !std::exchange(stream_.begun_, true);
  if (first || prefix_end_ == 0) return;
  ChunkRewriter::Shape& shape = stream_.shape();
  shape.prefix_in.assign(data_.substr(0, prefix_end_));
  shape.prefix_out.assign(patch_.out(), mark_, prefix_out_size_);
}

bool ChunkWalk::take_prefix() {
  if (!stream_.shape_) return false;
  const std::string& prefix = stream_.shape_->prefix_in;
  if (prefix.empty() || !data_.starts_with(prefix)) return false;
  patch_.out() += stream_.shape_->prefix_out;
  patch_.skip_to(prefix.size());
  has_model_ = true;
  plain_prefix_ = false;
  return true;
}

void ChunkWalk::read_members(json::Members members, MemberPatch edit) {
  while (members.next()) {
    if (members.key() == "usage") {
      plain_prefix_ = false;
      // The caller's chunks carry none, or null; what it said comes in the final usage chunk.
      const bool wanted = stream_.caller_wants_usage_;
      if (wanted) edit.keep(members);
      read_usage();
      if (wanted)
        edit.kept_until(reader_.position());
      else
        edit.remove_until(reader_.position());
      continue;
    }
    edit.keep(members);
    read_member(members.key());
    edit.kept_until(reader_.position());
  }
  if (!has_model_ && reader_.ok()) edit.add(members.close(), "\"model\":" + stream_.model_json_);
}

void ChunkWalk::read_member(std::string_view key) {
  if (key == "choices") {
    plain_prefix_ = false;
    read_choices();
  } else if (key == "model") {
    read_model();
  } else if (key == "id") {
    read_id();
  } else if (key == "object") {
    read_object_name();
  } else if (key == "created" && reader_.peek() == Kind::number) {
    created_ = reader_.read_number();
  } else if (key == "error") {
    plain_prefix_ = false;
    may_be_error_ = may_be_error_ || reader_.peek() != Kind::null;
    reader_.skip();
  } else {
    reader_.skip();
  }
}

void ChunkWalk::read_model() {
  reader_.peek();
  const uint32_t begin = reader_.position();
  reader_.skip();
  const uint32_t end = reader_.position();
  if (!reader_.ok()) return;
  has_model_ = true;
  patch_.replace(begin, end, stream_.model_json_);
  if (plain_prefix_ && end <= kMaxPrefixBytes && !reader_.saw_line_break()) {
    prefix_end_ = end;
    prefix_out_size_ = patch_.out().size() - mark_;
  }
  plain_prefix_ = false;
}

void ChunkWalk::read_usage() {
  const bool null = reader_.peek() == Kind::null;
  const json::Range value = reader_.skip();
  if (null || !reader_.ok()) return;
  usage_ = value;
  if (stream_.caller_wants_usage_) patch_.replace(value.begin, value.end, "null");
}

void ChunkWalk::read_id() {
  const bool string = reader_.peek() == Kind::string;
  const json::Range value = reader_.skip();
  if (string && value.size() > 2) id_ = value;
}

void ChunkWalk::read_object_name() {
  reader_.peek();
  if (reader_.text(reader_.skip()) != "\"error\"") return;
  may_be_error_ = true;
  plain_prefix_ = false;
}

void ChunkWalk::read_choices() {
  if (reader_.peek() != Kind::array) {
    reader_.skip();
    return;
  }
  has_choices_ = true;
  for (json::Elements choices(reader_); choices.next();) {
    ++choice_count_;
    read_choice(choices.index());
  }
}

ChunkRewriter::Choice& ChunkWalk::choice_at(int64_t index) {
  if (index < 0 || index >= kMaxChoices) return spare_;
  const auto i = static_cast<size_t>(index);
  if (i >= stream_.choices_.size()) stream_.choices_.resize(i + 1);
  return stream_.choices_[i];
}

void ChunkWalk::read_choice(int position) {
  reader_.peek();
  const json::Reader start = reader_;
  std::optional<int64_t> index;
  const auto settle_index = [&] {
    if (!index) index = find_index(start).value_or(position);
    choice_ = &choice_at(*index);
  };
  MemberPatch edit(patch_, reader_.position());
  json::Members members(reader_);
  bool has_index = false;
  while (members.next()) {
    const std::string_view key = members.key();
    const Kind kind = reader_.peek();
    if (key == "usage") {  // where Kimi puts it
      if (kind == Kind::object)
        usage_ = reader_.skip();
      else
        reader_.skip();
      edit.remove_until(reader_.position());
      continue;
    }
    edit.keep(members);
    if (key == "index" && kind == Kind::number) {
      index = json::to_integer(reader_.text(reader_.read_number()));
      has_index = true;
    } else if (key == "delta" && kind == Kind::object) {
      settle_index();
      read_delta();
    } else if (key == "text" && kind == Kind::string) {
      settle_index();
      choice_->begun = true;
      read_generated(Text::output);
    } else if (key == "finish_reason" && kind == Kind::string) {
      settle_index();
      read_finish_reason();
    } else {
      reader_.skip();
    }
    edit.kept_until(reader_.position());
  }
  if (!has_index && reader_.ok()) {
    edit.add(members.close(), "\"index\":" + std::to_string(position));
  }
}

void ChunkWalk::read_finish_reason() {
  if (reader_.read_string().raw.empty()) return;
  choice_->begun = true;
  choice_->finished = true;
  stream_.saw_finish_reason_ = true;
}

void ChunkWalk::read_delta() {
  const json::Reader start = reader_;
  MemberPatch edit(patch_, reader_.position());
  const bool first = !choice_->begun;
  choice_->begun = true;
  bool has_role = false;
  bool reasoned = false;  // some send the same text under both names
  json::Members members(reader_);
  while (members.next()) {
    edit.keep(members);
    const std::string_view key = members.key();
    const Kind kind = reader_.peek();
    const bool reasoning = key == "reasoning_content" || key == "reasoning";
    if (key == "role" && first) {
      read_role(has_role);
    } else if ((key == "content" || key == "refusal") && kind == Kind::string) {
      read_generated(Text::output);
    } else if (reasoning && kind == Kind::string && !reasoned) {
      if (key == "reasoning") rename_reasoning(members.key_begin(), start);
      const size_t before = stream_.generated_.size();
      read_generated(Text::reasoning);
      reasoned = stream_.generated_.size() > before;
    } else if (key == "tool_calls" && kind == Kind::array) {
      read_tool_calls();
    } else if (key == "function_call" && kind == Kind::object) {
      const size_t before = stream_.generated_.size();
      read_named_text("arguments");
      choice_->called_function |= stream_.generated_.size() > before;
    } else if (key == "content" && kind == Kind::array) {
      read_parts(Text::output);
    } else {
      reader_.skip();
    }
    edit.kept_until(reader_.position());
  }
  if (first && !has_role && reader_.ok()) edit.add(members.close(), R"("role":"assistant")");
}

// Clients look for it under the name that most vendors use.
void ChunkWalk::rename_reasoning(uint32_t key_begin, const json::Reader& delta) {
  constexpr std::string_view kName = R"("reasoning")";
  if (!data_.substr(key_begin).starts_with(kName) || has_member(delta, "reasoning_content")) return;
  patch_.replace(key_begin, key_begin + kName.size(), R"("reasoning_content")");
}

// The first delta of a choice must name a role; null and "" do not count.
void ChunkWalk::read_role(bool& has_role) {
  const Kind kind = reader_.peek();
  const json::Range value = reader_.skip();
  has_role = true;
  if (kind == Kind::string && value.size() > 2) return;
  if (reader_.ok()) patch_.replace(value.begin, value.end, R"("assistant")");
}

void ChunkWalk::read_tool_calls() {
  for (json::Elements calls(reader_); calls.next();) {
    choice_->called_tools = true;
    if (reader_.peek() == Kind::object)
      read_tool_call();
    else
      reader_.skip();
  }
}

void ChunkWalk::read_tool_call() {
  const json::Reader start = reader_;
  MemberPatch edit(patch_, reader_.position());
  ToolCall call;
  json::Members members(reader_);
  while (members.next()) {
    edit.keep(members);
    const std::string_view key = members.key();
    const Kind kind = reader_.peek();
    if (key == "index") {
      read_tool_index(call, start);
    } else if (key == "type") {
      read_tool_type(call);
    } else if (key == "id") {
      const json::Range id = reader_.skip();
      call.opens = kind == Kind::string && id.size() > 2;
    } else if (key == "function" && kind == Kind::object) {
      read_named_text("arguments");
    } else if (key == "custom" && kind == Kind::object) {
      call.custom = true;
      read_named_text("input");
    } else {
      reader_.skip();
    }
    edit.kept_until(reader_.position());
  }
  if (!reader_.ok()) return;
  if (!call.has_index) {
    if (call.opens) begin_tool();
    edit.add(members.close(), "\"index\":" + std::to_string(choice_->current_tool));
  }
  if (!call.has_type && call.opens) {
    edit.add(members.close(), call.custom ? R"("type":"custom")" : R"("type":"function")");
  }
}

// Calls without numbers are numbered in their order; a fragment belongs to the last one.
void ChunkWalk::begin_tool() {
  choice_->current_tool = choice_->next_tool++;
}

void ChunkWalk::read_tool_index(ToolCall& call, const json::Reader& start) {
  call.has_index = true;
  const bool number = reader_.peek() == Kind::number;
  const json::Range value = reader_.skip();
  if (!reader_.ok()) return;
  const std::optional<int64_t> index =
      number ? json::to_integer(reader_.text(value)) : std::nullopt;
  if (!number) {
    if (opens_call(start)) begin_tool();
    patch_.replace(value.begin, value.end, std::to_string(choice_->current_tool));
  } else if (index && *index >= 0 && *index < kMaxTokens) {
    choice_->current_tool = static_cast<int>(*index);
    choice_->next_tool = std::max(choice_->next_tool, choice_->current_tool + 1);
  }
}

void ChunkWalk::read_tool_type(ToolCall& call) {
  call.has_type = true;
  const Kind kind = reader_.peek();
  const json::Range value = reader_.skip();
  if (kind == Kind::string && value.size() > 2) return;
  if (reader_.ok()) patch_.replace(value.begin, value.end, R"("function")");
}

// The text of an object such as {"name":...,"arguments":...}.
void ChunkWalk::read_named_text(std::string_view second) {
  for (json::Members members(reader_); members.next();) {
    const bool text = members.key() == "name" || members.key() == second;
    if (text && reader_.peek() == Kind::string)
      read_generated(Text::call);
    else
      reader_.skip();
  }
}

// Content as some vendors (Mistral) send it: texts, and thoughts made of texts.
void ChunkWalk::read_parts(Text of) {
  for (json::Elements parts(reader_); parts.next();) {
    if (reader_.peek() != Kind::object) {
      reader_.skip();
      continue;
    }
    for (json::Members members(reader_); members.next();) read_part_member(members.key(), of);
  }
}

void ChunkWalk::read_part_member(std::string_view key, Text of) {
  const Kind kind = reader_.peek();
  const bool thinks = key == "thinking";
  if ((thinks || key == "text") && kind == Kind::string) {
    read_generated(thinks ? Text::reasoning : of);
  } else if (thinks && kind == Kind::array && of == Text::output) {
    read_parts(Text::reasoning);
  } else {
    reader_.skip();
  }
}

void ChunkWalk::read_generated(Text text) {
  const json::StringToken token = reader_.read_string();
  if (token.raw.empty()) return;
  stream_.generated_.push_back({token.raw, text});
  generated_at_ = patch_.out_offset(token.raw.begin) - mark_;
}

}  // namespace deeppool::llm
