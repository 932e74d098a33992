#include "llm/usage.h"

#include <algorithm>

#include "json/number.h"
#include "json/padded.h"
#include "json/reader.h"
#include "llm/limits.h"
#include "llm/openai/patch.h"

namespace deeppool::llm {

using json::Kind;

namespace {

// A token count from foreign hands: anything that is none is 0.
int64_t read_tokens(json::Reader& reader) {
  if (reader.peek() != Kind::number) {
    reader.skip();
    return 0;
  }
  const std::optional<int64_t> number = json::to_integer(reader.text(reader.read_number()));
  return std::clamp<int64_t>(number.value_or(0), 0, kMaxTokens);
}

// Several spellings may stand side by side, one of them zero: the largest counts.
void read_max(json::Reader& reader, int64_t& count) {
  count = std::max(count, read_tokens(reader));
}

// A count that may be billed on: absent (null) or a whole number in range. A usage object with
// anything else in these places is no usage at all, rather than a bill with holes.
bool countable(json::Reader ahead, Kind kind) {
  if (kind == Kind::null) return true;
  if (kind != Kind::number) return false;
  const std::optional<int64_t> number = json::to_integer(ahead.text(ahead.read_number()));
  return number && *number >= 0 && *number <= kMaxTokens;
}

bool is_total(std::string_view key) {
  return key == "prompt_tokens" || key == "completion_tokens" || key == "total_tokens" ||
         key == "input_tokens" || key == "output_tokens";
}

void read_prompt_details(json::Reader& reader, Usage& usage) {
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "cached_tokens")
      read_max(reader, usage.cached_tokens);
    else if (key == "cache_write_tokens" || key == "cache_creation_input_tokens")
      read_max(reader, usage.cache_write_tokens);
    else
      reader.skip();
  }
}

void read_completion_details(json::Reader& reader, Usage& usage) {
  for (json::Members members(reader); members.next();) {
    if (members.key() == "reasoning_tokens")
      read_max(reader, usage.reasoning_tokens);
    else
      reader.skip();
  }
}

void append_member(std::string& out, std::string_view name, int64_t value) {
  out.append("\"").append(name).append("\":").append(std::to_string(value));
}

// One member that must be in the full shape.
struct Required {
  std::string_view name;
  int64_t value;
  std::string_view inner;  // if not empty: `name` is an object, and `inner` is in it
  bool seen = false;
};

std::string spell(const Required& member) {
  std::string text;
  if (member.inner.empty()) {
    append_member(text, member.name, member.value);
    return text;
  }
  text.append("\"").append(member.name).append("\":{");
  append_member(text, member.inner, member.value);
  return text += '}';
}

void complete_details(json::Reader& reader, Patch& patch, const Required& wanted) {
  MemberPatch edit(patch, reader.position());
  bool seen = false;
  json::Members members(reader);
  while (members.next()) {
    edit.keep(members);
    const bool match = members.key() == wanted.inner;
    seen = seen || match;
    const bool number = reader.peek() == Kind::number;
    const json::Range value = reader.skip();
    if (match && !number) patch.replace(value.begin, value.end, std::to_string(wanted.value));
    edit.kept_until(value.end);
  }
  if (seen || !reader.ok()) return;
  std::string text;
  append_member(text, wanted.inner, wanted.value);
  edit.add(members.close(), text);
}

void complete_member(json::Reader& reader, Patch& patch, const Required& wanted) {
  const Kind kind = reader.peek();
  if (!wanted.inner.empty() && kind == Kind::object) {
    complete_details(reader, patch, wanted);
    return;
  }
  const json::Range value = reader.skip();
  if (wanted.inner.empty() && kind == Kind::number) return;
  const std::string text = spell(wanted);
  patch.replace(value.begin, value.end,
                std::string_view(text).substr(wanted.name.size() + 3));  // behind "name":
}

}  // namespace

void append_usage_json(std::string& out, const Usage& usage) {
  static constexpr char kEmpty[2 + json::kPadding] = "{}";
  append_full_usage(out, {kEmpty, 2}, usage);
}

std::optional<Usage> read_usage(std::string_view json) {
  json::Reader reader(json);
  if (reader.peek() != Kind::object) return std::nullopt;
  Usage usage;
  bool counted = false;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const Kind kind = reader.peek();
    if (is_total(key) && !countable(reader, kind)) return std::nullopt;
    if (key == "prompt_tokens" || key == "input_tokens") {
      counted = counted || kind == Kind::number;
      read_max(reader, usage.prompt_tokens);
    } else if (key == "completion_tokens" || key == "output_tokens") {
      counted = counted || kind == Kind::number;
      read_max(reader, usage.completion_tokens);
    } else if (key == "prompt_tokens_details" && kind == Kind::object) {
      read_prompt_details(reader, usage);
    } else if (key == "completion_tokens_details" && kind == Kind::object) {
      read_completion_details(reader, usage);
    } else if (key == "prompt_cache_hit_tokens" || key == "cached_tokens") {
      read_max(reader, usage.cached_tokens);
    } else if (key == "cache_creation_input_tokens") {
      read_max(reader, usage.cache_write_tokens);
    } else if (key == "reasoning_tokens") {
      read_max(reader, usage.reasoning_tokens);
    } else {
      reader.skip();
    }
  }
  if (!reader.ok() || !counted) return std::nullopt;
  usage.cached_tokens = std::min(usage.cached_tokens, usage.prompt_tokens);
  usage.cache_write_tokens =
      std::min(usage.cache_write_tokens, usage.prompt_tokens - usage.cached_tokens);
  usage.reasoning_tokens = std::min(usage.reasoning_tokens, usage.completion_tokens);
  return usage;
}

void append_full_usage(std::string& out, std::string_view json, const Usage& usage) {
  Required wanted[] = {
      {"prompt_tokens", usage.prompt_tokens, ""},
      {"completion_tokens", usage.completion_tokens, ""},
      {"total_tokens", usage.total(), ""},
      {"prompt_tokens_details", usage.cached_tokens, "cached_tokens"},
      {"completion_tokens_details", usage.reasoning_tokens, "reasoning_tokens"},
  };
  json::Reader reader(json);
  Patch patch(json, out);
  reader.peek();
  MemberPatch edit(patch, reader.position());
  json::Members members(reader);
  while (members.next()) {
    edit.keep(members);
    Required* match = nullptr;
    for (Required& member : wanted) {
      if (member.name == members.key()) match = &member;
    }
    if (match == nullptr) {
      reader.skip();
    } else {
      match->seen = true;
      complete_member(reader, patch, *match);
    }
    edit.kept_until(reader.position());
  }
  for (const Required& member : wanted) {
    if (!member.seen) edit.add(members.close(), spell(member));
  }
  patch.finish();
}

}  // namespace deeppool::llm
