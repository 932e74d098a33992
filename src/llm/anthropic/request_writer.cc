#include "llm/anthropic/request_writer.h"

#include <algorithm>
#include <array>

#include "json/number.h"
#include "llm/limits.h"

namespace deeppool::llm::anthropic {

using json::Kind;
using json::ShallowObject;
using json::Value;
using Step = FieldPath::Step;

namespace {

// Fields that the house says in full. All others go along as they are, for Anthropic's own models.
constexpr std::array<std::string_view, 10> kSaid = {
    "model",       "messages", "system",         "max_tokens", "stream",
    "temperature", "top_p",    "stop_sequences", "tools",      "tool_choice"};

// OpenAI takes no longer names of users; the front of Anthropic's tells them apart.
constexpr size_t kMaxUserBytes = 64;

// The nearest word for a budget; the levels are those between which Anthropic's own clients choose.
std::string_view effort_of(int64_t budget_tokens) {
  if (budget_tokens < 4096) return "low";
  if (budget_tokens < 16384) return "medium";
  return budget_tokens < 32768 ? "high" : "xhigh";
}

std::vector<std::string_view> listed(std::string_view header) {
  std::vector<std::string_view> names;
  for (const std::string_view name : base::split(header, ',')) {
    if (!base::trim(name).empty()) names.push_back(base::trim(name));
  }
  return names;
}

}  // namespace

bool RequestWriter::write(Purpose purpose, std::string_view betas) {
  json_.object();
  if (!path_.expect("model", request_["model"], Kind::string)) return false;
  json_.json("model", request_["model"].text);
  if (!write_tools() || !write_messages() || !write_max_tokens(purpose)) return false;
  if (!write_options() || !write_tool_choice() || !write_reasoning()) return false;
  if (!write_stop_sequences() || !write_user()) return false;
  write_rest(betas);
  json_.end_object();
  return true;
}

int64_t RequestWriter::prompt_tokens() const {
  return static_cast<int64_t>(text_bytes_) / kCharsPerToken + images_ * kTokensPerImage;
}

// Those that the house calls the same.
bool RequestWriter::write_options() {
  for (const std::string_view name : {"temperature", "top_p"}) {
    const Value value = request_[name];
    if (value.unset()) continue;
    if (!path_.expect(name, value, Kind::number)) return false;
    json_.json(name, value.text);
  }
  const Value stream = request_["stream"];
  if (stream.unset()) return true;
  if (!path_.expect("stream", stream, Kind::boolean)) return false;
  json_.json("stream", stream.text);
  if (stream.text == "true") json_.json("stream_options", R"({"include_usage":true})");
  return true;
}

bool RequestWriter::write_max_tokens(Purpose purpose) {
  const Step at(path_, "max_tokens");
  const Value value = request_["max_tokens"];
  if (purpose == Purpose::count && value.unset()) return true;
  const std::optional<int64_t> number = path_.expect_count(value, kMaxTokens);
  if (!number) return false;
  json_.number("max_completion_tokens", *number);
  return true;
}

bool RequestWriter::write_stop_sequences() {
  const Value value = request_["stop_sequences"];
  if (value.unset()) return true;
  const Step at(path_, "stop_sequences");
  if (!path_.expect(value, Kind::array)) return false;
  const std::vector<Value> sequences = json::elements_of(value);
  if (sequences.empty()) return true;
  if (sequences.size() > kMaxStopSequences) {
    return path_.refuse("at most " + std::to_string(kMaxStopSequences) + " sequences");
  }
  for (size_t i = 0; i < sequences.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(sequences[i], Kind::string)) return false;
  }
  json_.json("stop", value.text);
  return true;
}

// The nearest effort for all; the exact words go along in write_rest().
bool RequestWriter::write_reasoning() {
  std::string effort;
  if (!read_effort(effort)) return false;
  const Value thinking = request_["thinking"];
  if (!thinking.unset()) {
    const Step at(path_, "thinking");
    if (!path_.expect(thinking, Kind::object)) return false;
    const ShallowObject fields(thinking);
    Value type;
    if (!required_string(fields, "type", type)) return false;
    const std::string kind = type.string();
    if (kind == "disabled") {
      effort = "none";
    } else if (kind == "enabled" && effort.empty()) {
      const Value budget = fields["budget_tokens"];
      if (!path_.expect("budget_tokens", budget, Kind::number)) return false;
      effort = effort_of(json::to_integer(budget.text).value_or(0));
    } else if (effort.empty()) {
      effort = "medium";
    }
  }
  if (!effort.empty()) json_.string("reasoning_effort", effort);
  return true;
}

bool RequestWriter::read_effort(std::string& effort) {
  const Value config = request_["output_config"];
  if (config.unset()) return true;
  const Step at(path_, "output_config");
  if (!path_.expect(config, Kind::object)) return false;
  const ShallowObject fields(config);
  const Value level = fields["effort"];
  if (!level.unset()) {
    if (!path_.expect("effort", level, Kind::string)) return false;
    effort = level.string();
  }
  return write_response_format(fields["format"]);
}

bool RequestWriter::write_response_format(Value format) {
  if (format.unset()) return true;
  const Step at(path_, "format");
  if (!path_.expect(format, Kind::object)) return false;
  const ShallowObject fields(format);
  Value type;
  if (!required_string(fields, "type", type)) return false;
  if (type.string() != "json_schema") return path_.refuse("type", "expected 'json_schema'");
  const Value schema = fields["schema"];
  if (!path_.expect("schema", schema, Kind::object)) return false;
  json_.key("response_format");
  json_.object();
  json_.string("type", "json_schema");
  json_.key("json_schema");
  json_.object();
  json_.string("name", "answer");
  json_.json("strict", "true");
  json_.json("schema", schema.text);
  json_.end_object();
  json_.end_object();
  return true;
}

bool RequestWriter::write_user() {
  const Value metadata = request_["metadata"];
  if (metadata.unset()) return true;
  const Step at(path_, "metadata");
  if (!path_.expect(metadata, Kind::object)) return false;
  const Value user = ShallowObject(metadata)["user_id"];
  if (user.unset()) return true;
  if (!path_.expect("user_id", user, Kind::string)) return false;
  const std::string name = user.string();
  if (!name.empty()) json_.string("user", std::string_view(name).substr(0, kMaxUserBytes));
  return true;
}

bool RequestWriter::write_tools() {
  const Value tools = request_["tools"];
  if (tools.unset()) return true;
  const Step at(path_, "tools");
  if (!path_.expect(tools, Kind::array)) return false;
  text_bytes_ += tools.text.size();
  const std::vector<Value> elements = json::elements_of(tools);
  for (size_t i = 0; i < elements.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(elements[i], Kind::object)) return false;
    const ShallowObject tool(elements[i]);
    const Value type = tool["type"];
    if (!type.unset() && !path_.expect("type", type, Kind::string)) return false;
    if (!type.unset() && type.raw() != "custom") {
      own_tools_.push_back(elements[i].text);
      continue;
    }
    if (!has_functions_) json_.key("tools"), json_.array();
    has_functions_ = true;
    if (!write_tool(tool)) return false;
  }
  if (has_functions_) json_.end_array();
  return true;
}

bool RequestWriter::write_tool(const ShallowObject& tool) {
  Value name;
  if (!required_string(tool, "name", name)) return false;
  const Value schema = tool["input_schema"];
  if (!path_.expect("input_schema", schema, Kind::object)) return false;
  const Value description = tool["description"];
  if (!description.unset() && !path_.expect("description", description, Kind::string)) return false;
  const Value strict = tool["strict"];
  json_.object();
  json_.string("type", "function");
  json_.key("function");
  json_.object();
  json_.json("name", name.text);
  if (!description.unset()) json_.json("description", description.text);
  json_.json("parameters", schema.text);
  if (!strict.unset()) json_.json("strict", strict.text);
  json_.end_object();
  write_cache_control(json_, tool);
  json_.end_object();
  return true;
}

bool RequestWriter::write_tool_choice() {
  const Value choice = request_["tool_choice"];
  if (choice.unset()) return true;
  const Step at(path_, "tool_choice");
  if (!path_.expect(choice, Kind::object)) return false;
  const ShallowObject fields(choice);
  Value type;
  if (!required_string(fields, "type", type)) return false;
  const std::string kind = type.string();
  Value name;
  if (kind == "tool" && !required_string(fields, "name", name)) return false;
  if (kind != "auto" && kind != "any" && kind != "tool" && kind != "none") {
    return path_.refuse("type", "expected 'auto', 'any', 'tool' or 'none'");
  }
  // Without functions OpenAI-like upstreams refuse the fields.
  if (!has_functions_) return true;
  json_.key("tool_choice");
  if (kind == "tool") {
    json_.object();
    json_.string("type", "function");
    json_.key("function");
    json_.object();
    json_.json("name", name.text);
    json_.end_object();
    json_.end_object();
  } else {
    json_.string(kind == "any" ? "required" : kind);
  }
  if (fields["disable_parallel_tool_use"].text == "true") {
    json_.json("parallel_tool_calls", "false");
  }
  return true;
}

void RequestWriter::write_rest(std::string_view betas) {
  const std::vector<std::string_view> names = listed(betas);
  std::string rest;
  JsonOut json(rest);
  json.object();
  for (const ShallowObject::Member& member : request_) {
    const bool said = std::find(kSaid.begin(), kSaid.end(), member.name) != kSaid.end();
    if (said || member.value.unset()) continue;
    json.foreign_key(member.name);
    json.json(member.value.text);
  }
  if (!own_tools_.empty()) {
    json.key("tools");
    json.array();
    for (const std::string_view tool : own_tools_) json.json(tool);
    json.end_array();
  }
  if (!own_tools_.empty() && !request_["tool_choice"].unset()) {
    json.json("tool_choice", request_["tool_choice"].text);
  }
  if (!names.empty()) {
    json.key("betas");
    json.array();
    for (const std::string_view name : names) json.string(name);
    json.end_array();
  }
  if (rest == "{") return;
  json.end_object();
  json_.json("anthropic", rest);
}

bool RequestWriter::unsupported(std::string_view type) {
  return path_.refuse("type", "'" + std::string(type) + "' is not supported here");
}

bool RequestWriter::required_string(const ShallowObject& of, std::string_view member,
                                    Value& value) {
  value = of[member];
  return path_.expect(member, value, Kind::string);
}

}  // namespace deeppool::llm::anthropic
