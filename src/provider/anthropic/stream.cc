#include "provider/anthropic/stream.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "json/number.h"
#include "provider/anthropic/content.h"
#include "provider/anthropic/limits.h"

namespace deeppool::provider::anthropic {

using json::Kind;

namespace {

constexpr std::string_view kGoesOn = R"(},"logprobs":null,"finish_reason":null}]})";

std::string_view part(std::string_view data, json::Range range) {
  return data.substr(range.begin, range.size());
}

}  // namespace

StreamTranslator::Verdict Stream::feed(const http::SseEvent& event, HouseEvents& out) {
  const std::string_view data = event.data;
  if (pour(data, out) || data.empty() || data == "[DONE]") return Verdict::more;
  json::Reader reader(data);
  Parts parts;
  if (reader.peek() != Kind::object || !take_apart(reader, parts)) return Verdict::malformed;
  if (parts.type == "content_block_delta") {
    take_delta(data, parts, out);
  } else if (parts.type == "content_block_start") {
    start_block(data, parts, out);
  } else if (parts.type == "content_block_stop") {
    stop_block(parts, out);
  } else if (parts.type == "message_start") {
    start_message(data, parts, out);
  } else if (parts.type == "message_delta") {
    take_end(data, parts, out);
  } else if (parts.type == "message_stop") {
    return Verdict::done;
  } else if (parts.type == "error" || !parts.error.empty()) {
    std::string error;
    json::Reader value(part(data, parts.error));
    append_house_error(error, value);
    out.add(error);
  }
  return Verdict::more;
}

// The common event: a piece of text for the block that got the last one.
bool Stream::pour(std::string_view data, HouseEvents& out) {
  const size_t around = mould_.head_in.size() + mould_.tail_in.size();
  if (!mould_.set || data.size() <= around || !data.starts_with(mould_.head_in) ||
      !data.ends_with(mould_.tail_in)) {
    return false;
  }
  const std::string_view raw = data.substr(mould_.head_in.size(), data.size() - around);
  // With its quotes it must be exactly one string.
  json::Reader reader(data.substr(mould_.head_in.size() - 1, raw.size() + 2));
  const json::StringToken token = reader.read_string();
  if (token.raw.size() != raw.size() || !reader.finish()) return false;
  if (mould_.text == Text::reasoning) {
    if (OpenBlock* block = find_block(mould_.index)) keep_thought(*block, raw);
  }
  json::PaddedBytes& bytes = out.bytes();
  const size_t at = bytes.size();
  bytes.resize_for_overwrite(at + mould_.head_out.size() + raw.size() + mould_.tail_out.size());
  char* to = bytes.mutable_data() + at;
  for (const std::string_view piece :
       {std::string_view(mould_.head_out), raw, std::string_view(mould_.tail_out)}) {
    std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  out.end();
  return true;
}

bool Stream::take_apart(json::Reader& reader, Parts& parts) {
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const Kind kind = reader.peek();
    if (key == "type" && kind == Kind::string) {
      parts.type = reader.text(reader.read_string());
    } else if (key == "index" && kind == Kind::number) {
      parts.index = json::to_integer(reader.text(reader.read_number())).value_or(-1);
    } else if (key == "error") {
      parts.error = reader.skip();
    } else if (kind != Kind::object) {
      reader.skip();
    } else if (key == "delta") {
      parts.delta = reader.skip();
    } else if (key == "content_block") {
      parts.block = reader.skip();
    } else if (key == "message") {
      parts.message = reader.skip();
    } else if (key == "usage") {
      parts.usage = reader.skip();
    } else {
      reader.skip();
    }
  }
  return reader.finish();
}

void Stream::start_message(std::string_view data, const Parts& parts, HouseEvents& out) {
  std::string_view id;
  std::string_view model;
  if (!parts.message.empty()) {
    json::Reader reader(part(data, parts.message));
    for (json::Members members(reader); members.next();) {
      if (members.key() == "id") {
        id = read_raw_string(reader);
      } else if (members.key() == "model") {
        model = read_raw_string(reader);
      } else if (members.key() == "usage") {
        usage_.read(reader);
      } else {
        reader.skip();
      }
    }
  }
  begin(id, model, out);
}

void Stream::begin(std::string_view id, std::string_view model, HouseEvents& out) {
  if (begun_) return;
  begun_ = true;
  open_.append("{\"id\":\"").append(id);
  open_.append(R"(","object":"chat.completion.chunk","created":)");
  base::append_int(open_, created_);
  open_.append(",\"model\":\"").append(model);
  open_.append(R"(","choices":[{"index":0,"delta":{)");
  send_delta(R"("role":"assistant","content":"")", out);
}

void Stream::ensure_begun(HouseEvents& out) {
  if (!begun_) begin("", "", out);
}

void Stream::send_delta(std::string_view members, HouseEvents& out) {
  out.bytes().append(open_);
  out.bytes().append(members);
  out.bytes().append(kGoesOn);
  out.end();
}

Stream::OpenBlock* Stream::find_block(int64_t index) {
  for (OpenBlock& block : blocks_) {
    if (block.index == index) return &block;
  }
  return nullptr;
}

void Stream::start_block(std::string_view data, const Parts& parts, HouseEvents& out) {
  if (parts.block.empty() || blocks_.size() >= kMaxOpenBlocks) return;
  ensure_begun(out);
  std::string_view type, id, name, text, hidden;
  std::string_view input = "{}";
  OpenBlock block;
  block.index = parts.index;
  json::Reader reader(part(data, parts.block));
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "type") {
      type = read_raw_string(reader);
    } else if (key == "id") {
      id = read_raw_string(reader);
    } else if (key == "name") {
      name = read_raw_string(reader);
    } else if (key == "text" || key == "thinking") {
      text = read_raw_string(reader);
    } else if (key == "data") {
      hidden = read_raw_string(reader);
    } else if (key == "signature") {
      block.signature = read_raw_string(reader);
    } else if (key == "input" && reader.peek() == Kind::object) {
      input = reader.text(reader.skip());
    } else {
      reader.skip();
    }
  }
  std::erase_if(blocks_, [&](const OpenBlock& old) { return old.index == block.index; });
  if (type == "text") {
    block.kind = OpenBlock::Kind::text;
    if (!text.empty()) send_text(block, Text::content, text, out);
  } else if (type == "thinking") {
    block.kind = OpenBlock::Kind::thinking;
    if (!text.empty()) send_text(block, Text::reasoning, text, out);
  } else if (type == "tool_use") {
    block.text = input;
    open_tool(id, name, block, out);
  } else if (type == "redacted_thinking") {
    std::string details = R"("reasoning_details":[{"type":"redacted_thinking","data":")";
    details.append(hidden).append(R"(","index":)");
    base::append_int(details, block.index);
    send_delta(details + "}]", out);
  }
  blocks_.push_back(std::move(block));
}

void Stream::open_tool(std::string_view id, std::string_view name, OpenBlock& block,
                       HouseEvents& out) {
  block.kind = OpenBlock::Kind::tool;
  block.tool = tool_count_++;
  std::string members = R"("tool_calls":[{"index":)";
  base::append_int(members, block.tool);
  members.append(R"(,"id":")").append(id);
  members.append(R"(","type":"function","function":{"name":")").append(name);
  send_delta(members + R"(","arguments":""}}])", out);
}

void Stream::take_delta(std::string_view data, const Parts& parts, HouseEvents& out) {
  OpenBlock* block = find_block(parts.index);
  if (parts.delta.empty() || block == nullptr) return;
  ensure_begun(out);
  std::string_view type, signature;
  json::Range text;
  json::Reader reader(part(data, parts.delta));
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const bool string = reader.peek() == Kind::string;
    if (key == "type" && string) {
      type = reader.text(reader.read_string());
    } else if (string && (key == "text" || key == "thinking" || key == "partial_json")) {
      text = reader.read_string().raw;
    } else if (key == "signature" && string) {
      signature = reader.text(reader.read_string());
    } else {
      reader.skip();
    }
  }
  const bool argues = type == "input_json_delta" && block->kind == OpenBlock::Kind::tool;
  const bool thinks = type == "thinking_delta" && block->kind == OpenBlock::Kind::thinking;
  const bool speaks = type == "text_delta" && block->kind == OpenBlock::Kind::text;
  if (argues || thinks || speaks) {
    const Text kind = argues ? Text::arguments : thinks ? Text::reasoning : Text::content;
    text.begin += parts.delta.begin;
    text.end += parts.delta.begin;
    if (text.empty()) return;
    send_text(*block, kind, part(data, text), out);
    set_mould(data, text, *block, kind);
  } else if (type == "signature_delta" &&
             block->signature.size() + signature.size() <= kMaxKeptThoughtBytes) {
    block->signature += signature;
  }
}

std::string Stream::text_head(const OpenBlock& block, Text text) const {
  switch (text) {
    case Text::content:
      return open_ + "\"content\":\"";
    case Text::reasoning:
      return open_ + "\"reasoning_content\":\"";
    case Text::arguments:
      break;
  }
  return open_ + R"("tool_calls":[{"index":)" + std::to_string(block.tool) +
         R"(,"function":{"arguments":")";
}

std::string_view Stream::text_tail(Text text) {
  return text == Text::arguments ? R"("}}]},"logprobs":null,"finish_reason":null}]})"
                                 : R"("},"logprobs":null,"finish_reason":null}]})";
}

void Stream::send_text(OpenBlock& block, Text text, std::string_view raw, HouseEvents& out) {
  if (text == Text::reasoning) keep_thought(block, raw);
  block.has_text = true;
  out.bytes().append(text_head(block, text));
  out.bytes().append(raw);
  out.bytes().append(text_tail(text));
  out.end();
}

// Beyond the bound nothing is kept at all: half a thought would not fit its signature.
void Stream::keep_thought(OpenBlock& block, std::string_view raw) {
  block.kept = block.kept && block.text.size() + raw.size() <= kMaxKeptThoughtBytes;
  if (block.kept) {
    block.text += raw;
  } else {
    block.text = std::string();
  }
}

void Stream::set_mould(std::string_view data, json::Range text, const OpenBlock& block, Text kind) {
  mould_.set = true;
  mould_.text = kind;
  mould_.index = block.index;
  mould_.head_in = data.substr(0, text.begin);
  mould_.tail_in = data.substr(text.end);
  mould_.head_out = text_head(block, kind);
  mould_.tail_out = text_tail(kind);
}

void Stream::stop_block(const Parts& parts, HouseEvents& out) {
  OpenBlock* block = find_block(parts.index);
  if (block == nullptr) return;
  if (block->kind == OpenBlock::Kind::thinking && block->kept && !block->signature.empty()) {
    std::string details = R"("reasoning_details":[{"type":"thinking","thinking":")";
    details.append(block->text).append(R"(","signature":")").append(block->signature);
    details.append(R"(","index":)");
    base::append_int(details, block->index);
    send_delta(details + "}]", out);
  } else if (block->kind == OpenBlock::Kind::tool && !block->has_text) {
    std::string quoted;  // its arguments came with its start, if there are any
    base::append_json_string(quoted, block->text);
    const std::string raw = quoted.substr(1, quoted.size() - 2);
    send_text(*block, Text::arguments, raw, out);
  }
  if (mould_.index == block->index) mould_.set = false;
  blocks_.erase(blocks_.begin() + (block - blocks_.data()));
}

void Stream::take_end(std::string_view data, const Parts& parts, HouseEvents& out) {
  ensure_begun(out);
  std::string_view reason;
  std::string_view met;  // the stop sequence
  if (!parts.delta.empty()) {
    json::Reader reader(part(data, parts.delta));
    for (json::Members members(reader); members.next();) {
      if (members.key() == "stop_reason") {
        reason = read_raw_string(reader);
      } else if (members.key() == "stop_sequence") {
        met = read_raw_string(reader);
      } else {
        reader.skip();
      }
    }
  }
  if (!reason.empty()) {
    std::string chunk = open_ + R"(},"logprobs":null,)";
    append_finish(chunk, {reason, met, tool_count_});
    chunk += "}]}";
    out.add(chunk);
  }
  if (parts.usage.empty()) return;
  json::Reader reader(part(data, parts.usage));
  usage_.read(reader);
  std::string chunk =
      open_.substr(0, open_.size() - std::string_view(R"({"index":0,"delta":{)").size());
  chunk += "],\"usage\":";
  usage_.append_house(chunk);
  out.add(chunk + "}");
}

}  // namespace deeppool::provider::anthropic
