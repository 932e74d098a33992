#include "llm/openai/continuation.h"

#include "base/text.h"

namespace deeppool::llm {

using json::Kind;

// The ranges of one chunk that the caller gets.
struct Continuation::Parts {
  bool has_choices = false;
  bool has_error = false;
  bool has_text = false;
  json::StringToken text;
  json::Range reasoning;  // with its quotes
  json::Range finish_reason;
  json::Range usage;
  // Members as they stand, each with a comma before it.
  std::string calls;  // tool_calls, function_call
  std::string refusal;
  std::string thoughts;     // reasoning_details
  std::string other_delta;  // what we know nothing of
  std::string other_choice;
};

namespace {

// Reads the member's value. Nothing is kept of one that says nothing.
void keep_member(json::Reader& reader, const json::Members& members, std::string& kept) {
  const Kind kind = reader.peek();
  const json::Range value = reader.skip();
  const std::string_view text = reader.text(value);
  if (kind == Kind::null || text == "\"\"" || text == "[]" || text == "{}") return;
  kept.append(",").append(reader.text(json::Range{members.key_begin(), value.end}));
}

}  // namespace

std::string_view to_string(Continuation::How how) {
  switch (how) {
    case Continuation::How::fresh:
      return "fresh";
    case Continuation::How::prefix:
      return "prefix";
    case Continuation::How::repeated:
      break;
  }
  return "repeated";
}

Continuation::Continuation(How how, Said said) : how_(how), said_(std::move(said)) {}

bool Continuation::read_chunk(json::Reader& reader, Parts& parts) {
  if (reader.peek() != Kind::object) return false;
  for (json::Members members(reader); members.next();) {
    const Kind kind = reader.peek();
    if (members.key() == "choices" && kind == Kind::array) {
      parts.has_choices = true;
      if (!read_choices(reader, parts)) return false;
    } else if (members.key() == "usage" && kind == Kind::object) {
      parts.usage = reader.skip();
    } else {
      parts.has_error = parts.has_error || (members.key() == "error" && kind != Kind::null);
      reader.skip();
    }
  }
  return reader.finish();
}

bool Continuation::read_choices(json::Reader& reader, Parts& parts) {
  for (json::Elements choices(reader); choices.next();) {
    if (choices.index() > 0 || reader.peek() != Kind::object) {
      reader.skip();
    } else if (!read_choice(reader, parts)) {
      return false;
    }
  }
  return reader.ok();
}

bool Continuation::read_choice(json::Reader& reader, Parts& parts) {
  for (json::Members members(reader); members.next();) {
    const Kind kind = reader.peek();
    if (members.key() == "delta" && kind == Kind::object) {
      if (!read_delta(reader, parts)) return false;
    } else if (members.key() == "finish_reason" && kind == Kind::string) {
      parts.finish_reason = reader.skip();
    } else if (members.key() == "usage" && kind == Kind::object) {
      parts.usage = reader.skip();
    } else if (members.key() == "index") {
      reader.skip();
    } else {
      keep_member(reader, members, parts.other_choice);
    }
  }
  return reader.ok();
}

bool Continuation::read_delta(json::Reader& reader, Parts& parts) {
  for (json::Members members(reader); members.next();) {
    const Kind kind = reader.peek();
    const std::string_view key = members.key();
    if (key == "content" && kind == Kind::string) {
      parts.text = reader.read_string();
      parts.has_text = !parts.text.raw.empty();
    } else if ((key == "reasoning_content" || key == "reasoning") && kind == Kind::string) {
      parts.reasoning = reader.skip();
    } else if (key == "tool_calls" || key == "function_call") {
      keep_member(reader, members, parts.calls);
    } else if (key == "refusal") {
      keep_member(reader, members, parts.refusal);
    } else if (key == "reasoning_details") {
      keep_member(reader, members, parts.thoughts);
    } else if (key == "role") {
      reader.skip();  // said at the stream's start
    } else {
      keep_member(reader, members, parts.other_delta);
    }
  }
  return reader.ok();
}

bool Continuation::take_text(std::string_view text, std::string& fresh) {
  if (how_ == How::repeated) {
    const std::string_view expected = std::string_view(said_.text).substr(repeated_);
    const size_t common = std::min(text.size(), expected.size());
    if (text.substr(0, common) != expected.substr(0, common)) return false;
    repeated_ += common;
    text.remove_prefix(common);
  }
  if (!text.empty()) {
    fresh += ",\"content\":";
    base::append_json_string(fresh, text);
  }
  return true;
}

Continuation::Fit Continuation::fit(std::string_view event_data, std::string& out) {
  json::Reader reader(event_data);
  Parts parts;
  if (!read_chunk(reader, parts) || !parts.has_choices || parts.has_error) return Fit::as_it_is;
  std::string delta;
  if (parts.has_text && !take_text(reader.decode(parts.text, scratch_), delta)) {
    return Fit::diverged;
  }
  const bool behind = how_ == How::repeated && repeated_ < said_.text.size();
  const bool ends = !parts.finish_reason.empty();
  if (behind && (ends || !parts.calls.empty() || !parts.refusal.empty())) return Fit::diverged;
  // Reasoning that leads to what was shown, or to more of it, was shown or is of no use any more.
  const bool silent = said_.reasoned || !said_.text.empty();
  if (!parts.reasoning.empty() && !silent) {
    delta.append(",\"reasoning_content\":").append(reader.text(parts.reasoning));
  }
  if (!silent) delta += parts.thoughts;
  delta.append(parts.refusal).append(parts.calls);
  // Behind a text, these may be about a part of it that was shown already.
  if (how_ == How::fresh) delta += parts.other_delta;
  if (how_ != How::fresh && !ends) parts.other_choice.clear();
  const bool tells = !delta.empty() || !parts.other_choice.empty();
  if (!tells && !ends && parts.usage.empty()) return Fit::nothing;
  out.append("{\"id\":").append(said_.id_json.empty() ? "\"\"" : said_.id_json);
  out.append(R"(,"object":"chat.completion.chunk","created":)");
  out.append(said_.created.empty() ? "0" : said_.created);
  out += R"(,"model":"","choices":[)";
  if (tells || ends) {
    out += R"({"index":0,"delta":{)";
    if (!delta.empty()) out += std::string_view(delta).substr(1);
    out += R"(},"finish_reason":)";
    out += ends ? reader.text(parts.finish_reason) : "null";
    out.append(parts.other_choice).append("}");
  }
  out += ']';
  if (!parts.usage.empty()) out.append(",\"usage\":").append(reader.text(parts.usage));
  out += '}';
  return Fit::chunk;
}

}  // namespace deeppool::llm
