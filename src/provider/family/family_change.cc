#include "provider/family/family_change.h"

#include <algorithm>

#include "json/number.h"
#include "provider/family/family_rules.h"
#include "provider/family/member_edits.h"
#include "provider/family/reasoning_words.h"
#include "provider/name_pattern.h"
#include "provider/reasoning_table.h"

namespace deeppool::provider::family {
namespace {

using json::Kind;
using json::Reader;

std::string_view bare_name(std::string_view model) {
  return model.substr(model.rfind('/') + 1);
}

// An empty list is for all models.
bool is_for(std::span<const std::string_view> patterns, std::string_view model) {
  if (patterns.empty()) return true;
  return std::ranges::any_of(
      patterns, [&](std::string_view pattern) { return fits_pattern(pattern, bare_name(model)); });
}

bool is_extension(std::string_view key) {
  return key == "anthropic" || key == "gemini";
}

// Callers of Anthropic's API say so by habit, of models that never think, too.
bool switches_thinking_off(std::string_view body) {
  Reader reader(body);
  reader.peek();
  for (json::Members members(reader); members.next();) {
    if (members.key() != "anthropic" || reader.peek() != Kind::object) {
      reader.peek();
      reader.skip();
      continue;
    }
    bool off = false;
    for (json::Members inner(reader); inner.next();) {
      const bool thinking = inner.key() == "thinking";
      reader.peek();
      const std::string_view value = reader.text(reader.skip());
      off = off || (thinking && value.find("\"disabled\"") != std::string_view::npos);
    }
    return off;
  }
  return false;
}

// What applies to one request.
struct Wishes {
  explicit Wishes(const Asking& asking) : rules(rules_for(asking.endpoint.provider_type)) {
    const std::string_view model = asking.endpoint.upstream_model;
    const llm::Notes& notes = asking.view.notes;
    if (notes.reasoning_fields || notes.reasoning_text || notes.calls_without_reasoning) {
      look_up_reasoning(asking);
    }
    if (!rules.limit_field.empty() && is_for(rules.limit_models, model)) limit = rules.limit_field;
    if (is_for(rules.refused_models, model)) refused = rules.refused;
    strips_schema = rules.provider_type == "kimi";
    strips_marks = rules.provider_type == "openai";
    unknown_off = reasoning == nullptr && notes.extensions && notes.reasoning_fields &&
                  switches_thinking_off(asking.body.view());
  }

  // Long tables, looked through only where something may depend on them.
  void look_up_reasoning(const Asking& asking) {
    const std::string_view type = asking.endpoint.provider_type;
    reasoning = find_reasoning(type, asking.endpoint.upstream_model);
    back = reasoning_back(type, asking.endpoint.upstream_model);
  }

  const FamilyRules& rules;
  const ReasoningRow* reasoning = nullptr;
  ReasoningBack back{};
  std::string_view limit;  // the one name of the output limit; empty: any
  std::span<const std::string_view> refused;
  bool strips_schema = false;
  bool unknown_off =
      false;  // reasoning_effort says that a model is not to think that may not know it
  bool strips_marks = false;  // cache_control and the like: unknown members are refused
};

// By the notes alone, without a look at the body.
bool needs_a_walk(const Asking& asking, const Wishes& wishes) {
  const llm::RequestView& view = asking.view;
  const llm::Notes& notes = view.notes;
  if (notes.extensions) return true;
  if (view.api != llm::Api::chat_completions) return false;
  if (notes.developer_role && !wishes.rules.takes_developer) return true;
  if (notes.reasoning_fields && wishes.reasoning != nullptr) return true;
  if (notes.reasoning_text && wishes.back == ReasoningBack::never) return true;
  if (notes.calls_without_reasoning && wishes.back == ReasoningBack::with_calls) return true;
  if (wishes.rules.max_stop > 0 && notes.stop_count > wishes.rules.max_stop) return true;
  if (wishes.limit == "max_tokens" && !view.max_completion_tokens_value.empty()) return true;
  if (wishes.limit == "max_completion_tokens" && !view.max_tokens_value.empty()) return true;
  if (wishes.rules.temperature_to_one && gives(view, "temperature")) return true;
  if (!wishes.rules.takes_json_schema && gives(view, "response_format")) return true;
  if (wishes.strips_schema && !view.tools_value.empty()) {
    const std::string_view tools =
        asking.body.view().substr(view.tools_value.begin, view.tools_value.size());
    if (tools.find("\"$schema\"") != std::string_view::npos) return true;
  }
  return std::ranges::any_of(wishes.refused,
                             [&](std::string_view name) { return gives(view, name); });
}

class Walk {
 public:
  Walk(const Asking& asking, const Wishes& wishes)
      : wishes_(wishes), view_(asking.view), reader_(asking.body.view()) {}

  Change run();

 private:
  enum class Fate : uint8_t { keep, remove };

  Fate read_member(std::string_view key, uint32_t key_begin);
  Fate read_limit(std::string_view key, uint32_t key_begin);
  Fate read_reasoning(std::string_view key);
  void read_temperature();
  void read_stop();
  void read_response_format();
  void read_messages();
  void read_message();
  void strip_schema();
  void strip_marks();
  Fate skip_and(Fate fate) {
    reader_.peek();
    reader_.skip();
    return fate;
  }
  void drop(std::string_view name) { change_.dropped.emplace_back(name); }
  void replace(json::Range where, std::string text) {
    change_.edits.push_back({where, std::move(text)});
  }

  const Wishes& wishes_;
  const llm::RequestView& view_;
  Reader reader_;
  Change change_;
  AskedReasoning asked_;
};

Change Walk::run() {
  reader_.peek();
  MemberEdits edits(change_.edits, reader_.position());
  for (json::Members members(reader_); members.next();) {
    const std::string key(members.key());
    if (read_member(key, members.key_begin()) == Fate::remove) {
      edits.remove_until(reader_.position());
    } else {
      edits.keep(members);
      edits.kept_until(reader_.position());
    }
  }
  if (wishes_.reasoning != nullptr) {
    add_reasoning(*wishes_.reasoning, asked_, change_.members, change_.dropped);
  }
  return std::move(change_);
}

Walk::Fate Walk::read_member(std::string_view key, uint32_t key_begin) {
  if (is_extension(key)) return skip_and(Fate::remove);
  if (view_.api != llm::Api::chat_completions) return skip_and(Fate::keep);
  const Kind kind = reader_.peek();
  if (std::ranges::find(wishes_.refused, key) != wishes_.refused.end()) {
    if (kind != Kind::null) drop(key);
    return skip_and(Fate::remove);
  }
  if (key == "max_tokens" || key == "max_completion_tokens") return read_limit(key, key_begin);
  const bool reasoning = key == "reasoning_effort" || key == "enable_thinking";
  if (reasoning && wishes_.reasoning != nullptr) return read_reasoning(key);
  if (key == "reasoning_effort" && wishes_.unknown_off) return skip_and(Fate::remove);
  if (key == "thinking" || key == "thinking_budget") asked_.in_own_words = true;
  if (kind == Kind::null) return skip_and(Fate::keep);
  if (key == "messages") {
    read_messages();
  } else if (key == "temperature" && wishes_.rules.temperature_to_one) {
    read_temperature();
  } else if (key == "stop" && wishes_.rules.max_stop > 0) {
    read_stop();
  } else if (key == "response_format" && !wishes_.rules.takes_json_schema) {
    read_response_format();
  } else if (key == "tools" && wishes_.strips_schema) {
    strip_schema();
  } else if (key == "tools" && wishes_.strips_marks) {
    strip_marks();
  } else {
    reader_.skip();
  }
  return Fate::keep;
}

// Of two numbers the one under the newer name is what the caller meant.
Walk::Fate Walk::read_limit(std::string_view key, uint32_t key_begin) {
  const bool null = reader_.peek() == Kind::null;
  reader_.skip();
  if (wishes_.limit.empty()) return Fate::keep;
  const bool newer = key == "max_completion_tokens";
  const json::Range other = newer ? view_.max_tokens_value : view_.max_completion_tokens_value;
  const bool other_number = !other.empty() && reader_.text(other) != "null";
  if (null) return key == wishes_.limit && !other_number ? Fate::keep : Fate::remove;
  if (!newer && other_number) return Fate::remove;
  if (key == wishes_.limit) return Fate::keep;
  const json::Range name{key_begin, key_begin + static_cast<uint32_t>(key.size()) + 2};
  replace(name, '"' + std::string(wishes_.limit) + '"');
  return Fate::keep;
}

Walk::Fate Walk::read_reasoning(std::string_view key) {
  const Kind kind = reader_.peek();
  if (key == "reasoning_effort" && kind == Kind::string) {
    std::string scratch;
    asked_.effort = reader_.decode(reader_.read_string(), scratch);
  } else if (key == "enable_thinking" && kind == Kind::boolean) {
    asked_.enabled = reader_.read_bool();
  } else {
    reader_.skip();
  }
  return Fate::remove;
}

void Walk::read_temperature() {
  const json::Range value = reader_.skip();
  if (json::to_double(reader_.text(value)).value_or(0) <= 1) return;
  replace(value, "1");
  drop("temperature");
}

void Walk::read_stop() {
  if (reader_.peek() != Kind::array) {
    reader_.skip();
    return;
  }
  uint32_t last_kept = 0;
  bool more = false;
  for (json::Elements words(reader_); words.next();) {
    reader_.skip();
    if (words.index() < wishes_.rules.max_stop) {
      last_kept = reader_.position();
    } else {
      more = true;
    }
  }
  if (!more || !reader_.ok()) return;
  replace({last_kept, reader_.position() - 1}, {});
  drop("stop");
}

void Walk::read_response_format() {
  reader_.peek();
  const uint32_t begin = reader_.position();
  bool schema = false;
  for (json::Members members(reader_); members.next();) {
    const bool type = members.key() == "type";
    reader_.peek();
    const std::string_view value = reader_.text(reader_.skip());
    schema = schema || (type && value == R"("json_schema")");
  }
  if (!schema) return;
  replace({begin, reader_.position()}, R"({"type":"json_object"})");
  drop("response_format.json_schema");
}

void Walk::read_messages() {
  for (json::Elements messages(reader_); messages.next();) {
    if (reader_.peek() == Kind::object) {
      read_message();
    } else {
      reader_.skip();
    }
  }
}

void Walk::read_message() {
  MemberEdits edits(change_.edits, reader_.position());
  bool calls = false;
  bool reasons = false;
  json::Members members(reader_);
  while (members.next()) {
    const std::string_view key = members.key();
    const bool reasoning = key == "reasoning_content";
    const bool gone = key == "reasoning_details" || key == "is_error" ||
                      (key == "cache_control" && wishes_.strips_marks) ||
                      (reasoning && wishes_.back == ReasoningBack::never);
    const bool marked = wishes_.strips_marks && (key == "content" || key == "tool_calls");
    const bool role = key == "role";
    calls = calls || key == "tool_calls";
    if (!gone) edits.keep(members);
    const Kind kind = reader_.peek();
    reasons = reasons || (reasoning && kind == Kind::string);
    if (marked && kind == Kind::array) {
      strip_marks();
      edits.kept_until(reader_.position());
      continue;
    }
    const json::Range value = reader_.skip();
    if (gone) {
      edits.remove_until(reader_.position());
      continue;
    }
    const bool developer = role && reader_.text(value) == R"("developer")";
    if (developer && !wishes_.rules.takes_developer) replace(value, R"("system")");
    edits.kept_until(reader_.position());
  }
  const bool asks = wishes_.back == ReasoningBack::with_calls && calls && !reasons;
  if (asks && reader_.ok()) edits.add(members.close(), R"("reasoning_content":"")");
}

// Kimi K2.5 loses its way in schemas that name their own.
void Walk::strip_schema() {
  if (reader_.peek() == Kind::array) {
    for (json::Elements elements(reader_); elements.next();) strip_schema();
    return;
  }
  if (reader_.peek() != Kind::object) {
    reader_.skip();
    return;
  }
  MemberEdits edits(change_.edits, reader_.position());
  for (json::Members members(reader_); members.next();) {
    if (members.key() == "$schema") {
      reader_.peek();
      reader_.skip();
      edits.remove_until(reader_.position());
      continue;
    }
    edits.keep(members);
    strip_schema();
    edits.kept_until(reader_.position());
  }
}

// What callers of other protocols set on the elements of an array for other vendors.
void Walk::strip_marks() {
  for (json::Elements elements(reader_); elements.next();) {
    if (reader_.peek() != Kind::object) {
      reader_.skip();
      continue;
    }
    MemberEdits edits(change_.edits, reader_.position());
    for (json::Members members(reader_); members.next();) {
      const bool mark = members.key() == "cache_control" || members.key() == "extra_content";
      if (!mark) edits.keep(members);
      reader_.peek();
      reader_.skip();
      if (mark) {
        edits.remove_until(reader_.position());
      } else {
        edits.kept_until(reader_.position());
      }
    }
  }
}

// Members that a family wants in every request of a kind, unless the caller has a word on them.
void add_wanted(const Asking& asking, std::string& members) {
  const std::string_view type = asking.endpoint.provider_type;
  const std::string_view body = asking.body.view();
  // Without it, minutes of silence while arguments are made.
  const bool streams_calls = asking.view.stream && asking.view.features.tool_count > 0;
  if (type == "glm" && streams_calls && body.find("\"tool_stream\"") == std::string_view::npos) {
    members += R"(,"tool_stream":true)";
  }
  // Without it, thoughts stand inside the content.
  if (type == "minimax" && body.find("\"reasoning_split\"") == std::string_view::npos) {
    members += R"(,"reasoning_split":true)";
  }
}

}  // namespace

Change change_for(const Asking& asking) {
  Wishes wishes(asking);
  Change change;
  if (needs_a_walk(asking, wishes)) {
    wishes.look_up_reasoning(asking);
    change = Walk(asking, wishes).run();
  }
  if (asking.view.api == llm::Api::chat_completions) add_wanted(asking, change.members);
  return change;
}

}  // namespace deeppool::provider::family
