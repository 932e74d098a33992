// The part of RequestParser that walks over what the model reads: messages, tools, prompts.
#include "json/number.h"
#include "llm/limits.h"
#include "llm/openai/request_parser.h"
#include "llm/tokenizer/tokenizer.h"

namespace deeppool::llm {

using json::Kind;

namespace {

std::string indexed(std::string_view name, int index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

// Members of ours, and those that callers set for vendors other than OpenAI.
bool is_extension(std::string_view member) {
  return member == "reasoning_details" || member == "cache_control" || member == "is_error" ||
         member == "extra_content";
}

bool is_media(std::string_view member) {
  return member == "image_url" || member == "image" || member == "video_url" || member == "video" ||
         member == "audio_url" || member == "document";
}

bool is_image_part(std::string_view type) {
  return type == "image_url" || type == "input_image" || type == "image";
}

}  // namespace

void RequestParser::add_text(const json::StringToken& token) {
  view_.features.text_bytes += token.decoded_bytes;
  view_.features.text_chars += token.decoded_chars;
  if (!counts_on()) return;
  count(reader_.decode(token, scratch_));
}

bool RequestParser::counts_on() const {
  return tokenizer_ != nullptr && counted_text_ < counted_bytes_;
}

void RequestParser::count(std::string_view text) {
  text = text.substr(0, static_cast<size_t>(counted_bytes_ - counted_text_));
  counted_text_ += static_cast<int64_t>(text.size());
  counted_tokens_ += tokenizer_->count(text);
}

void RequestParser::add_json_text(ByteRange range) {
  view_.features.text_bytes += range.size();
  view_.features.text_chars += range.size();
  if (!counts_on()) return;
  count(reader_.text(range));
}

std::string RequestParser::message_path(std::string_view member) const {
  std::string path = indexed("messages", message_index_);
  if (!member.empty()) path.append(".").append(member);
  return path;
}

std::string RequestParser::part_path(std::string_view member) const {
  std::string path = indexed(message_path("content"), part_index_);
  if (!member.empty()) path.append(".").append(member);
  return path;
}

bool RequestParser::read_messages() {
  if (!expect(Kind::array, "messages")) return false;
  for (json::Elements messages(reader_); messages.next();) {
    message_index_ = messages.index();
    if (!read_message()) return false;
  }
  if (!reader_.ok()) return false;
  view_.messages_end = reader_.position() - 1;
  has_input_ = view_.features.message_count > 0;
  return has_input_ || refuse("messages", "must not be empty");
}

bool RequestParser::read_message() {
  if (reader_.peek() != Kind::object) return expect(Kind::object, message_path(""));
  ++view_.features.message_count;
  images_in_message_ = 0;
  bool has_role = false;
  bool from_user = false;
  bool has_reasoning = false;
  bool calls = false;
  for (json::Members members(reader_); members.next();) {
    const std::string_view key = members.key();
    bool good = true;
    if (key == "content") {
      good = read_content();
    } else if (key == "role") {
      if (reader_.peek() != Kind::string) return expect(Kind::string, message_path("role"));
      const std::string_view role = reader_.decode(reader_.read_string(), scratch_);
      if (reader_.ok() && role.empty()) {
        return refuse(message_path("role"), "must not be empty");
      }
      has_role = true;
      from_user = role == "user";
      view_.notes.developer_role = view_.notes.developer_role || role == "developer";
    } else if (key == "name" || key == "refusal") {
      good = read_text(key);
    } else if (key == "reasoning_content" || key == "reasoning") {
      // Dialects disagree on the shape; only text is counted.
      if (reader_.peek() == Kind::string) {
        has_reasoning = true;
        add_text(reader_.read_string());
      } else {
        skip_other();
      }
    } else if (key == "tool_calls") {
      calls = reader_.peek() == Kind::array;
      good = read_tool_calls();
    } else if (key == "function_call" && reader_.peek() == Kind::object) {
      good = read_called_function();
    } else {
      view_.notes.extensions = view_.notes.extensions || is_extension(key);
      skip_other();
    }
    if (!good) return false;
  }
  if (!reader_.ok()) return false;
  if (!has_role) return refuse(message_path("role"), "the field is required");
  view_.notes.reasoning_text = view_.notes.reasoning_text || has_reasoning;
  view_.notes.calls_without_reasoning =
      view_.notes.calls_without_reasoning || (calls && !has_reasoning);
  view_.features.image_count += images_in_message_;
  if (from_user) view_.features.has_vision = images_in_message_ > 0;
  return true;
}

// A member of the current message that is a string or null.
bool RequestParser::read_text(std::string_view member) {
  if (take_null()) return true;
  if (reader_.peek() != Kind::string) return expect(Kind::string, message_path(member));
  add_text(reader_.read_string());
  return reader_.ok();
}

bool RequestParser::read_content() {
  const Kind kind = reader_.peek();
  if (kind == Kind::string || kind == Kind::null) return read_text("content");
  if (kind != Kind::array) {
    return refuse(message_path("content"), "expected a string or an array of content parts");
  }
  for (json::Elements parts(reader_); parts.next();) {
    part_index_ = parts.index();
    if (!read_part()) return false;
  }
  return reader_.ok();
}

bool RequestParser::read_part() {
  if (reader_.peek() != Kind::object) return expect(Kind::object, part_path(""));
  bool has_type = false;
  bool text_part = false;
  bool has_text = false;
  bool bounded = false;  // what the part may cost is known by the end of its walk
  for (json::Members members(reader_); members.next();) {
    const std::string_view key = members.key();
    if (key == "type") {
      if (reader_.peek() != Kind::string) return expect(Kind::string, part_path("type"));
      const std::string_view type = reader_.decode(reader_.read_string(), scratch_);
      has_type = true;
      text_part = type == "text";
      const bool picture = is_image_part(type);
      if (picture) ++images_in_message_;
      bounded = bounded || text_part || picture || type == "refusal";
    } else if (key == "text" || key == "refusal") {
      if (reader_.peek() != Kind::string) return expect(Kind::string, part_path(key));
      add_text(reader_.read_string());
      has_text = true;
    } else if (key == "image_url") {
      const Kind kind = reader_.peek();
      if (kind != Kind::object && kind != Kind::string) {
        return expect(Kind::object, part_path("image_url"));
      }
      note_media(reader_.skip());
    } else if (key == "input_audio") {
      bounded = read_audio();
    } else if (is_media(key) || key == "file") {
      note_media(reader_.skip());
    } else {
      view_.notes.extensions = view_.notes.extensions || is_extension(key);
      skip_other();
    }
  }
  if (!reader_.ok()) return false;
  if (!bounded) ++view_.features.document_count;
  if (!has_type) return refuse(part_path("type"), "the field is required");
  if (text_part && !has_text) return refuse(part_path("text"), "the field is required");
  return true;
}

// A URL is short; data in its place is not looked through.
bool RequestParser::is_remote(ByteRange value) const {
  return value.size() <= kMaxUrlBytes &&
         reader_.text(value).find("\"http") != std::string_view::npos;
}

void RequestParser::note_media(ByteRange value) {
  view_.notes.remote_media = view_.notes.remote_media || is_remote(value);
}

// False: it is elsewhere, and its length unknown.
bool RequestParser::read_audio() {
  reader_.peek();
  const ByteRange value = reader_.skip();
  if (is_remote(value)) return false;
  view_.features.audio_bytes += value.size();
  return true;
}

// Looked at for no more than its length.
void RequestParser::skip_other() {
  reader_.peek();
  view_.features.other_bytes += reader_.skip().size();
}

bool RequestParser::read_tool_calls() {
  if (take_null()) return true;
  if (reader_.peek() != Kind::array) return expect(Kind::array, message_path("tool_calls"));
  for (json::Elements calls(reader_); calls.next();) {
    if (reader_.peek() != Kind::object) {
      return expect(Kind::object, indexed(message_path("tool_calls"), calls.index()));
    }
    for (json::Members members(reader_); members.next();) {
      const bool function = members.key() == "function" && reader_.peek() == Kind::object;
      view_.notes.extensions = view_.notes.extensions || is_extension(members.key());
      if (!function)
        skip_other();
      else if (!read_called_function())
        return false;
    }
  }
  return reader_.ok();
}

bool RequestParser::read_called_function() {
  for (json::Members members(reader_); members.next();) {
    const bool text = members.key() == "name" || members.key() == "arguments";
    if (text && reader_.peek() == Kind::string)
      add_text(reader_.read_string());
    else
      skip_other();
  }
  return reader_.ok();
}

// `tools`, and its deprecated form `functions`, whose elements are what a tool has inside.
bool RequestParser::read_tools(std::string_view field) {
  if (take_null()) return true;
  if (!expect(Kind::array, field)) return false;
  const uint32_t begin = reader_.position();
  for (json::Elements tools(reader_); tools.next();) {
    part_index_ = tools.index();
    if (reader_.peek() != Kind::object) return expect(Kind::object, indexed(field, part_index_));
    if (!(field == "tools" ? read_tool() : read_function(field))) return false;
    ++view_.features.tool_count;
  }
  if (!reader_.ok()) return false;
  if (field == "tools") view_.tools_value = {begin, reader_.position()};
  add_json_text({begin, reader_.position()});
  return true;
}

bool RequestParser::read_tool() {
  bool has_type = false;
  for (json::Members members(reader_); members.next();) {
    if (members.key() == "type") {
      if (reader_.peek() != Kind::string) {
        return expect(Kind::string, indexed("tools", part_index_) + ".type");
      }
      has_type = true;
    } else if (members.key() == "function") {
      if (reader_.peek() != Kind::object) {
        return expect(Kind::object, indexed("tools", part_index_) + ".function");
      }
      if (!read_function("tools")) return false;
      continue;
    }
    view_.notes.extensions = view_.notes.extensions || is_extension(members.key());
    reader_.skip();
  }
  if (!reader_.ok()) return false;
  return has_type || refuse(indexed("tools", part_index_) + ".type", "the field is required");
}

bool RequestParser::read_function(std::string_view field) {
  bool has_name = false;
  for (json::Members members(reader_); members.next();) {
    if (members.key() == "name" && reader_.peek() == Kind::string) has_name = true;
    reader_.skip();
  }
  if (!reader_.ok()) return false;
  const std::string_view member = field == "tools" ? ".function.name" : ".name";
  return has_name || refuse(indexed(field, part_index_).append(member), "expected a string");
}

// `prompt` and `input`: a string, strings, token ids, or lists of token ids.
bool RequestParser::read_prompt(std::string_view field) {
  has_input_ = true;
  const Kind kind = reader_.peek();
  if (kind == Kind::null && field == "prompt") return take_null();
  if (kind == Kind::string) {
    view_.features.message_count = 1;
    add_text(reader_.read_string());
    return reader_.ok();
  }
  if (kind != Kind::array) {
    return refuse(std::string(field), "expected a string or an array of strings or token ids");
  }
  Kind of = Kind::none;
  int64_t count = 0;
  for (json::Elements elements(reader_); elements.next(); ++count) {
    const Kind found = reader_.peek();
    if (of == Kind::none) of = found;
    const bool good = found == Kind::string || found == Kind::number || found == Kind::array;
    if (!good || found != of) {
      return refuse(indexed(field, elements.index()),
                    "expected only strings, only token ids, or only arrays of token ids");
    }
    if (found == Kind::string) {
      ++view_.features.message_count;
      add_text(reader_.read_string());
    } else if (!read_token_ids(field, elements.index())) {
      return false;
    }
  }
  if (!reader_.ok()) return false;
  if (of != Kind::number) view_.prompts = count;
  return of != Kind::none || refuse(std::string(field), "must not be empty");
}

// One token id, or an array of them.
bool RequestParser::read_token_ids(std::string_view field, int index) {
  if (reader_.peek() == Kind::array) {
    for (json::Elements ids(reader_); ids.next();) {
      if (reader_.peek() == Kind::array) return refuse(indexed(field, index), "nested too deeply");
      if (!read_token_ids(field, index)) return false;
    }
    return reader_.ok();
  }
  if (reader_.peek() != Kind::number) return expect(Kind::number, indexed(field, index));
  const std::optional<int64_t> id = json::to_integer(reader_.text(reader_.read_number()));
  if (!reader_.ok()) return false;
  ++view_.features.input_token_ids;
  if (id && *id >= 0 && *id <= kMaxTokens) return true;
  return refuse(indexed(field, index), "expected a token id");
}

}  // namespace deeppool::llm
