#include "provider/gemini/request.h"

#include <algorithm>
#include <span>

#include "base/text.h"
#include "json/number.h"
#include "provider/gemini/contents.h"
#include "provider/gemini/limits.h"
#include "provider/gemini/schema.h"
#include "provider/gemini/tools.h"
#include "provider/json_object_text.h"
#include "provider/name_pattern.h"
#include "provider/reasoning_table.h"

namespace deeppool::provider::gemini {
namespace {

using json::Reader;

// Members that go into generationConfig under Gemini's name, values as they are.
struct Renamed {
  std::string_view house;
  std::string_view gemini;
};
constexpr Renamed kRenamed[] = {
    {"temperature", "temperature"},
    {"top_p", "topP"},
    {"top_k", "topK"},
    {"max_tokens", "maxOutputTokens"},
    {"n", "candidateCount"},
    {"seed", "seed"},
    {"presence_penalty", "presencePenalty"},
    {"frequency_penalty", "frequencyPenalty"},
    {"logprobs", "responseLogprobs"},
    {"top_logprobs", "logprobs"},
};

// What says nothing to a model: read elsewhere, or of OpenAI's own platform.
constexpr std::string_view kSilent[] = {
    "model",           "stream",
    "stream_options",  "user",
    "metadata",        "store",
    "service_tier",    "safety_identifier",
    "anthropic",       "prompt_cache_key",
    "moderation",      "prompt_cache_options",
    "enable_thinking", "prompt_cache_retention",
};

// Of a request and of its generationConfig: only in the house's words.
constexpr std::string_view kSaidByHouse[] = {"contents", "systemInstruction", "model"};
constexpr std::string_view kHeldFor[] = {"maxOutputTokens", "candidateCount"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::any_of(names, [&](auto one) { return base::iequals(one, name); });
}

// The models before signatures were asked for.
constexpr std::string_view kUnsigned[] = {"gemini-1*", "gemini-2*", "gemma*"};

Replay replay_for(std::string_view upstream_model) {
  const std::string_view name = upstream_model.substr(upstream_model.rfind('/') + 1);
  for (const std::string_view pattern : kUnsigned) {
    if (fits_pattern(pattern, name)) return Replay::plain;
  }
  return Replay::signed_calls;
}

// Google's servers take a member's name of the API's description, `max_output_tokens`, for its name
// in JSON, `maxOutputTokens`. Here each member has one name, or what is kept from the caller under
// the one could be had under the other.
std::string google_name(std::string_view said) {
  std::string name;
  bool word_begins = false;
  for (const char c : said) {
    const bool raise = word_begins && !name.empty() && c >= 'a' && c <= 'z';
    word_begins = c == '_';
    if (!word_begins) name += raise ? static_cast<char>(c - 32) : c;
  }
  if (!name.empty()) name[0] = base::lower(name[0]);
  return name;
}

// Every member of `object` takes the place of the one in `into`.
void merge(ObjectText& into, JsonText object) {
  if (!is_object(object)) return;
  Reader reader(object);
  for (json::Members members(reader); members.next();) {
    const std::string key = google_name(members.key());
    into.set(key, take(reader));
  }
}

class Writer {
 public:
  explicit Writer(const Asking& asking)
      : asking_(asking), contents_(replay_for(asking.endpoint.upstream_model)) {}

  Result<RequestText> write();

 private:
  Result<void> read_member(std::string_view key, JsonText value);
  Result<void> read_response_format(JsonText format);
  void merge_own_config();
  void read_stop(JsonText stop);
  void read_modalities(JsonText modalities);
  void read_extension(JsonText extension);
  void read_google_extension(JsonText google);
  void set_thinking();
  std::string tool_config() const;
  std::string tools() const;
  void drop(std::string_view name) { made_.dropped.emplace_back(name); }

  const Asking& asking_;
  ContentsWriter contents_;
  ObjectText config_;
  std::string declarations_;
  std::string calling_;
  std::string effort_;
  JsonText enable_thinking_;
  // What the caller said in Gemini's own words.
  JsonText own_config_;
  JsonText own_tools_;
  JsonText own_tool_config_;
  ObjectText own_thinking_;
  ObjectText extras_;
  RequestText made_;
};

Result<void> Writer::read_member(std::string_view key, JsonText value) {
  if (is_null(value) || std::ranges::find(kSilent, key) != std::end(kSilent)) {
    if (key == "enable_thinking" && !is_null(value)) enable_thinking_ = value;
    return {};
  }
  for (const Renamed& row : kRenamed) {
    if (key != row.house) continue;
    // The newer name of the two is the one that counts.
    if (key == "max_tokens" && config_.find(row.gemini) != nullptr) return {};
    config_.set(row.gemini, value);
    return {};
  }
  if (key == "messages") return contents_.add_messages(value);
  if (key == "max_completion_tokens") {
    config_.set("maxOutputTokens", value);
  } else if (key == "tools" || key == "functions") {
    return append_declarations(value, key, declarations_, made_.dropped);
  } else if (key == "tool_choice" || key == "function_call") {
    calling_ = calling_config(value);
  } else if (key == "response_format") {
    return read_response_format(value);
  } else if (key == "stop") {
    read_stop(value);
  } else if (key == "reasoning_effort") {
    effort_ = decoded(value);
  } else if (key == "modalities") {
    read_modalities(value);
  } else if (key == "gemini") {
    read_extension(value);
  } else if (key == "extra_body") {
    read_google_extension(member(value, "google"));
  } else if (key != "parallel_tool_calls" || value == "false") {
    drop(key);
  }
  return {};
}

Result<void> Writer::read_response_format(JsonText format) {
  const std::string type = decoded(member(format, "type"));
  if (type == "text") return {};
  config_.set("responseMimeType", R"("application/json")");
  if (type != "json_schema") return {};
  const JsonText schema = member(member(format, "json_schema"), "schema");
  if (!is_object(schema)) return {};
  DP_TRY(std::string text, openapi_schema(schema, "response_format.json_schema.schema"));
  if (!text.empty()) config_.set("responseSchema", std::move(text));
  return {};
}

void Writer::read_stop(JsonText stop) {
  if (is_string(stop)) {
    config_.set("stopSequences", "[" + std::string(stop) + "]");
    return;
  }
  std::string list;
  Reader reader(stop);
  for (json::Elements elements(reader); elements.next();) {
    const JsonText word = take(reader);
    if (elements.index() == kMaxStopSequences) drop("stop");
    if (elements.index() >= kMaxStopSequences) continue;
    if (!list.empty()) list += ',';
    list += word;
  }
  if (!list.empty()) config_.set("stopSequences", "[" + list + "]");
}

void Writer::read_modalities(JsonText modalities) {
  std::string list;
  Reader reader(modalities);
  for (json::Elements elements(reader); elements.next();) {
    std::string word(take(reader));
    std::ranges::transform(word, word.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    if (!list.empty()) list += ',';
    list += word;
  }
  if (list != R"("TEXT")" && !list.empty()) config_.set("responseModalities", "[" + list + "]");
}

// What the caller says in Gemini's own words comes on top of what was translated.
void Writer::read_extension(JsonText extension) {
  if (!is_object(extension)) return drop("gemini");
  Reader reader(extension);
  for (json::Members members(reader); members.next();) {
    const std::string key = google_name(members.key());
    const JsonText value = take(reader);
    if (base::iequals(key, "generationConfig")) {
      own_config_ = value;
    } else if (key == "tools" && is_array(value)) {
      own_tools_ = value.substr(1, value.size() - 2);
    } else if (key == "toolConfig") {
      own_tool_config_ = value;
    } else if (is_one_of(key, kSaidByHouse)) {
      drop("gemini." + key);
    } else {
      extras_.set(key, value);
    }
  }
}

// The same in the words of Google's own OpenAI-compatible endpoint.
void Writer::read_google_extension(JsonText google) {
  constexpr Renamed kWords[] = {{"thinking_budget", "thinkingBudget"},
                                {"thinking_level", "thinkingLevel"},
                                {"include_thoughts", "includeThoughts"}};
  const JsonText config = member(google, "thinking_config");
  for (const Renamed& row : kWords) {
    const JsonText value = member(config, row.house);
    if (!value.empty()) own_thinking_.set(row.gemini, value);
  }
  const JsonText cached = member(google, "cached_content");
  if (!cached.empty()) extras_.set("cachedContent", cached);
}

void Writer::set_thinking() {
  if (!own_thinking_.empty()) {
    config_.set("thinkingConfig", own_thinking_.text());
    return;
  }
  const ReasoningRow* row = find_reasoning("gemini", asking_.endpoint.upstream_model);
  const bool switched_on = effort_.empty() && enable_thinking_ == "true";
  std::optional<Effort> effort = parse_effort(effort_);
  if (effort_.empty() && enable_thinking_ == "false") effort = Effort::none;
  if (row == nullptr || row->knob == ReasoningKnob::fixed) {
    if (!effort_.empty() && effort_ != "none") drop("reasoning_effort");
    return;
  }
  ObjectText thinking;
  if (effort) {
    const bool level = row->knob == ReasoningKnob::gemini_level;
    const std::string word(row->word(*effort));
    thinking.set(level ? "thinkingLevel" : "thinkingBudget", level ? '"' + word + '"' : word);
  } else if (!effort_.empty()) {
    drop("reasoning_effort");
  }
  const bool shown = switched_on || (effort && *effort != Effort::none);
  if (shown) thinking.set("includeThoughts", "true");
  if (!thinking.empty()) config_.set("thinkingConfig", thinking.text());
}

std::string Writer::tool_config() const {
  ObjectText config;
  if (!calling_.empty() && !declarations_.empty()) config.set("functionCallingConfig", calling_);
  merge(config, own_tool_config_);
  return config.empty() ? std::string() : config.text();
}

std::string Writer::tools() const {
  std::string list;
  if (!declarations_.empty()) list = R"({"functionDeclarations":[)" + declarations_ + "]}";
  const bool more = own_tools_.find_first_not_of(" \t\r\n") != std::string_view::npos;
  if (more) list.append(list.empty() ? "" : ",").append(own_tools_);
  return list;
}

// All but how much is answered: that is held for by the house's words, `max_tokens` and `n`.
void Writer::merge_own_config() {
  if (!is_object(own_config_)) return;
  Reader reader(own_config_);
  for (json::Members members(reader); members.next();) {
    const std::string key = google_name(members.key());
    const JsonText value = take(reader);
    if (is_one_of(key, kHeldFor)) {
      drop("gemini.generationConfig." + key);
    } else {
      config_.set(key, value);
    }
  }
}

Result<RequestText> Writer::write() {
  Reader reader(asking_.body.view());
  for (json::Members members(reader); members.next();) {
    const std::string key(members.key());
    DP_CHECK(read_member(key, take(reader)));
  }
  if (!asking_.answered_text.empty()) contents_.add_answered(asking_.answered_text);
  if (asking_.output_limit > 0) config_.set_int("maxOutputTokens", asking_.output_limit);
  set_thinking();
  merge_own_config();

  ObjectText body = std::move(extras_);
  body.set("contents", contents_.contents());
  if (std::string system = contents_.instruction(); !system.empty()) {
    body.set("systemInstruction", std::move(system));
  }
  if (const std::string list = tools(); !list.empty()) body.set("tools", "[" + list + "]");
  if (std::string config = tool_config(); !config.empty()) {
    body.set("toolConfig", std::move(config));
  }
  if (!config_.empty()) body.set("generationConfig", config_.text());
  made_.body = body.text();
  return std::move(made_);
}

}  // namespace

Result<RequestText> write_request(const Asking& asking) {
  return Writer(asking).write();
}

}  // namespace deeppool::provider::gemini
