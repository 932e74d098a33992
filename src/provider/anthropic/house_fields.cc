#include "provider/anthropic/house_fields.h"

#include <algorithm>
#include <array>
#include <optional>

#include "json/number.h"
#include "json/reader.h"
#include "provider/anthropic/content.h"

namespace deeppool::provider::anthropic {

using json::Kind;

namespace {

struct Taken {
  std::string_view name;
  std::string_view HouseFields::* field;
};
constexpr auto kTaken = std::to_array<Taken>({
    {"messages", &HouseFields::messages},
    {"tools", &HouseFields::tools},
    {"functions", &HouseFields::functions},
    {"tool_choice", &HouseFields::tool_choice},
    {"function_call", &HouseFields::function_call},
    {"parallel_tool_calls", &HouseFields::parallel_tool_calls},
    {"temperature", &HouseFields::temperature},
    {"top_p", &HouseFields::top_p},
    {"top_k", &HouseFields::top_k},
    {"stop", &HouseFields::stop},
    {"user", &HouseFields::user},
    {"safety_identifier", &HouseFields::safety_identifier},
    {"service_tier", &HouseFields::service_tier},
    {"response_format", &HouseFields::response_format},
    {"reasoning_effort", &HouseFields::reasoning_effort},
    {"enable_thinking", &HouseFields::enable_thinking},
    {"thinking", &HouseFields::thinking},
    {"anthropic", &HouseFields::extension},
});

// Said by the view, meant for other dialects, or read by OpenAI's own platform alone.
constexpr auto kPassedOver = std::to_array<std::string_view>(
    {"model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "gemini", "store",
     "metadata", "moderation", "prompt_cache_key", "prompt_cache_options",
     "prompt_cache_retention"});

// A field that asks for nothing but what happens anyway is not missed.
struct Idle {
  std::string_view name;
  std::string_view value;
};
constexpr auto kIdle = std::to_array<Idle>({
    {"n", "1"},
    {"logprobs", "false"},
    {"top_logprobs", "0"},
    {"logit_bias", "{}"},
    {"presence_penalty", "0"},
    {"frequency_penalty", "0"},
    {"modalities", "[\"text\"]"},
});

bool is_idle(std::string_view name, Kind kind, std::string_view value) {
  for (const Idle& idle : kIdle) {
    if (idle.name != name) continue;
    if (idle.value == value) return true;
    return kind == Kind::number && json::to_integer(value) == json::to_integer(idle.value);
  }
  return false;
}

}  // namespace

HouseFields read_house_fields(std::string_view body) {
  HouseFields fields;
  json::Reader reader(body);
  for (json::Members members(reader); members.next();) {
    const std::string key(members.key());
    const Kind kind = reader.peek();
    const std::string_view value = reader.text(reader.skip());
    if (kind == Kind::null) continue;
    const auto taken = std::find_if(kTaken.begin(), kTaken.end(),
                                    [&](const Taken& row) { return row.name == key; });
    if (taken != kTaken.end()) {
      fields.*taken->field = value;
      continue;
    }
    const bool passed = std::find(kPassedOver.begin(), kPassedOver.end(), key) != kPassedOver.end();
    if (!passed && !is_idle(key, kind, value)) fields.dropped.push_back(key);
  }
  return fields;
}

namespace {

struct Said {
  std::string_view name;
  std::string_view Extension::* field;
};
constexpr auto kSaid = std::to_array<Said>({
    {"thinking", &Extension::thinking},
    {"output_config", &Extension::output_config},
    {"metadata", &Extension::metadata},
    {"service_tier", &Extension::service_tier},
    {"tool_choice", &Extension::tool_choice},
    {"tools", &Extension::tools},
    {"top_k", &Extension::top_k},
});

// The house has words for these, and limits, prices and routes hang on them.
constexpr auto kOurs =
    std::to_array<std::string_view>({"model", "messages", "system", "max_tokens", "stream",
                                     "stop_sequences", "temperature", "top_p"});

// A header is made of them: nothing but the words that Anthropic's betas are made of.
bool is_beta_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

void read_betas(json::Reader& reader, std::vector<std::string>& betas) {
  if (reader.peek() != Kind::array) {
    reader.skip();
    return;
  }
  for (json::Elements elements(reader); elements.next();) {
    const std::string_view name = read_raw_string(reader);
    if (is_beta_name(name)) betas.emplace_back(name);
  }
}

// The value of a member of an object; empty if there is none.
std::string_view member_of(std::string_view object, std::string_view name) {
  std::string_view found;
  json::Reader reader(object);
  if (reader.peek() != Kind::object) return found;
  for (json::Members members(reader); members.next();) {
    const bool match = members.key() == name;
    reader.peek();
    const std::string_view value = reader.text(reader.skip());
    if (match) found = value;
  }
  return found;
}

}  // namespace

Extension read_extension(std::string_view extension) {
  Extension said;
  if (extension.empty()) return said;
  json::Reader reader(extension);
  if (reader.peek() != Kind::object) return said;
  for (json::Members members(reader); members.next();) {
    const std::string key(members.key());
    if (key == "betas") {
      read_betas(reader, said.betas);
      continue;
    }
    const Kind kind = reader.peek();
    const std::string_view value = reader.text(reader.skip());
    const bool ours = std::find(kOurs.begin(), kOurs.end(), key) != kOurs.end();
    if (kind == Kind::null || ours) continue;
    const auto known =
        std::find_if(kSaid.begin(), kSaid.end(), [&](const Said& row) { return row.name == key; });
    if (known != kSaid.end()) {
      said.*known->field = value;
    } else {
      said.others.emplace_back(key, value);
    }
  }
  if (!said.output_config.empty()) said.effort = member_of(said.output_config, "effort");
  return said;
}

}  // namespace deeppool::provider::anthropic
