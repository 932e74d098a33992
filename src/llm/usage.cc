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

// A walk over one usage object that also minds whether it has OpenAI's full shape.
class UsageWalk {
 public:
  explicit UsageWalk(json::Reader& reader) : reader_(reader) {}

  std::optional<FoundUsage> run() {
    for (json::Members members(reader_); members.next();) take(members.key());
    if (!reader_.ok() || !counted_ || uncountable_) return std::nullopt;
    Usage& u = found_.usage;
    u.cached_tokens = std::min(u.cached_tokens, u.prompt_tokens);
    u.cache_write_tokens = std::min(u.cache_write_tokens, u.prompt_tokens - u.cached_tokens);
    int64_t rest = u.prompt_tokens - u.cached_tokens - u.cache_write_tokens;
    limit(u.image_input_tokens, rest);
    limit(u.audio_input_tokens, rest);
    rest = u.completion_tokens;
    limit(u.image_output_tokens, rest);
    limit(u.audio_output_tokens, rest);
    u.reasoning_tokens = std::min(u.reasoning_tokens, u.completion_tokens);
    found_.full_shape = shape_ == kWhole && !odd_;
    return found_;
  }

 private:
  enum Part : unsigned { kPrompt = 1, kCompletion = 2, kTotal = 4, kCached = 8, kReasoning = 16 };
  static constexpr unsigned kWhole = kPrompt | kCompletion | kTotal | kCached | kReasoning;

  // Parts of a whole are disjoint for us: what does not fit beside the others is in them.
  static void limit(int64_t& part, int64_t& rest) {
    part = std::min(part, rest);
    rest -= part;
  }

  void note(Part part, bool good) {
    shape_ |= part;
    odd_ = odd_ || !good;
  }

  void take(std::string_view key) {
    Usage& u = found_.usage;
    const Kind kind = reader_.peek();
    const bool number = kind == Kind::number;
    if (key == "prompt_tokens" || key == "input_tokens") {
      if (key == "prompt_tokens") note(kPrompt, number);
      counted_ = counted_ || number;
      take_total(u.prompt_tokens);
    } else if (key == "completion_tokens" || key == "output_tokens") {
      if (key == "completion_tokens") note(kCompletion, number);
      counted_ = counted_ || number;
      take_total(u.completion_tokens);
    } else if (key == "total_tokens") {
      note(kTotal, number);
      int64_t ours_to_add = 0;
      take_total(ours_to_add);
    } else if (key == "prompt_tokens_details") {
      note(kCached, kind == Kind::object && take_prompt_details());
      if (kind != Kind::object) reader_.skip();
    } else if (key == "completion_tokens_details") {
      note(kReasoning, kind == Kind::object && take_completion_details());
      if (kind != Kind::object) reader_.skip();
    } else if (key == "prompt_cache_hit_tokens" || key == "cached_tokens") {
      read_max(reader_, u.cached_tokens);
    } else if (key == "cache_creation_input_tokens") {
      read_max(reader_, u.cache_write_tokens);
    } else if (key == "reasoning_tokens") {
      read_max(reader_, u.reasoning_tokens);
    } else {
      found_.has_cost = found_.has_cost || key == "cost";
      reader_.skip();
    }
  }

  // A count that may be billed on: absent (null) or a whole number in range. A usage object with
  // anything else in these places is no usage at all, rather than a bill with holes.
  void take_total(int64_t& count) {
    const Kind kind = reader_.peek();
    const std::string_view text = reader_.text(reader_.skip());
    if (kind == Kind::null) return;
    const auto number = kind == Kind::number ? json::to_integer(text) : std::nullopt;
    if (number && *number >= 0 && *number <= kMaxTokens)
      count = std::max(count, *number);
    else
      uncountable_ = true;
  }

  // True if the member that the full shape wants is there, and a number wherever it is.
  bool take_prompt_details() {
    bool seen = false;
    bool odd = false;
    for (json::Members members(reader_); members.next();) {
      const std::string_view key = members.key();
      if (key == "cached_tokens") {
        seen = true;
        odd = odd || reader_.peek() != Kind::number;
        read_max(reader_, found_.usage.cached_tokens);
      } else if (key == "cache_write_tokens" || key == "cache_creation_input_tokens") {
        read_max(reader_, found_.usage.cache_write_tokens);
      } else if (key == "audio_tokens") {
        read_max(reader_, found_.usage.audio_input_tokens);
      } else if (key == "image_tokens") {
        read_max(reader_, found_.usage.image_input_tokens);
      } else {
        reader_.skip();
      }
    }
    return seen && !odd;
  }

  bool take_completion_details() {
    bool seen = false;
    bool odd = false;
    for (json::Members members(reader_); members.next();) {
      const std::string_view key = members.key();
      if (key == "reasoning_tokens") {
        seen = true;
        odd = odd || reader_.peek() != Kind::number;
        read_max(reader_, found_.usage.reasoning_tokens);
      } else if (key == "audio_tokens") {
        read_max(reader_, found_.usage.audio_output_tokens);
      } else if (key == "image_tokens") {
        read_max(reader_, found_.usage.image_output_tokens);
      } else {
        reader_.skip();
      }
    }
    return seen && !odd;
  }

  json::Reader& reader_;
  FoundUsage found_;
  unsigned shape_ = 0;
  bool odd_ = false;  // a member of the full shape is something else
  bool counted_ = false;
  bool uncountable_ = false;
};

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

void append_usage_json(std::string& out, const Usage& usage, std::string_view cost) {
  static constexpr char kEmpty[2 + json::kPadding] = "{}";
  append_full_usage(out, {kEmpty, 2}, usage, cost);
}

std::optional<FoundUsage> read_usage(json::Reader& reader) {
  if (reader.peek() == Kind::object) return UsageWalk(reader).run();
  reader.skip();
  return std::nullopt;
}

std::optional<Usage> read_usage(std::string_view json) {
  json::Reader reader(json);
  const auto found = read_usage(reader);
  return found ? std::optional(found->usage) : std::nullopt;
}

void append_full_usage(std::string& out, std::string_view json, const Usage& usage,
                       std::string_view cost) {
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
  bool cost_seen = cost.empty();
  json::Members members(reader);
  while (members.next()) {
    edit.keep(members);
    if (members.key() == "cost" && !cost.empty()) {
      cost_seen = true;
      reader.peek();
      const json::Range value = reader.skip();
      patch.replace(value.begin, value.end, cost);
      edit.kept_until(value.end);
      continue;
    }
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
  if (!cost_seen) edit.add(members.close(), "\"cost\":" + std::string(cost));
  patch.finish();
}

}  // namespace deeppool::llm
