#include "llm/responses/request_writer.h"

#include <algorithm>
#include <array>

#include "llm/limits.h"
#include "llm/responses/limits.h"

namespace deeppool::llm::responses {

using json::Kind;
using json::ShallowObject;
using json::Value;
using Step = FieldPath::Step;

namespace {

struct Refused {
  std::string_view name;
  std::string_view instead;
};

// What refers to answers that were kept.
constexpr auto kStateful = std::to_array<Refused>({
    {"previous_response_id",
     "answers are not kept here; send the whole conversation as input items"},
    {"conversation", "conversations are not kept here; send all of it as input items"},
    {"prompt", "prompt templates are not kept here; send instructions and input"},
});

// What callers of chat completions know under another name.
constexpr auto kChatWords = std::to_array<Refused>({
    {"messages", "input"},
    {"max_tokens", "max_output_tokens"},
    {"max_completion_tokens", "max_output_tokens"},
    {"response_format", "text.format"},
    {"reasoning_effort", "reasoning.effort"},
    {"verbosity", "text.verbosity"},
    {"functions", "tools"},
    {"function_call", "tool_choice"},
    {"n", "one request for each answer"},
});

// Fields that are said in other words, or that mean nothing without kept answers, built-in tools or
// padding against eavesdroppers. All others go to the model's provider as they are.
constexpr auto kSaid = std::to_array<std::string_view>(
    {"model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning",
     "text", "max_output_tokens", "include", "metadata", "store", "background", "truncation",
     "max_tool_calls", "stream", "stream_options", "top_logprobs", "context_management"});

// The members of a response object that are its request's, and what they are where it says nothing.
struct Repeated {
  std::string_view name;
  std::string_view unset;
};
constexpr auto kRepeated = std::to_array<Repeated>({
    {"instructions", "null"},
    {"tools", "[]"},
    {"max_output_tokens", "null"},
    {"metadata", "{}"},
    {"parallel_tool_calls", "true"},
    {"reasoning", R"({"effort":null,"summary":null})"},
    {"temperature", "null"},
    {"text", R"({"format":{"type":"text"}})"},
    {"tool_choice", "\"auto\""},
    {"top_p", "null"},
    {"truncation", "\"disabled\""},
});

}  // namespace

bool RequestWriter::write() {
  json_.object();
  if (!path_.expect("model", request_["model"], Kind::string)) return false;
  json_.json("model", request_["model"].text);
  if (!refuse_state() || !refuse_chat_words()) return false;
  if (!write_tools() || !write_messages()) return false;
  if (!write_options() || !write_limit() || !write_reasoning() || !write_text()) return false;
  if (!write_tool_choice() || !read_include()) return false;
  write_rest();
  json_.end_object();
  repeat_request();
  return true;
}

bool RequestWriter::refuse_state() {
  for (const Refused& field : kStateful) {
    if (!request_[field.name].unset()) return path_.refuse(field.name, field.instead);
  }
  if (request_["background"].text == "true") {
    return path_.refuse("background", "answers are not kept here; stream the answer instead");
  }
  return true;
}

bool RequestWriter::refuse_chat_words() {
  for (const Refused& word : kChatWords) {
    if (request_[word.name].unset()) continue;
    return path_.refuse(word.name, "not a field of this API; use " + std::string(word.instead));
  }
  return true;
}

bool RequestWriter::write_options() {
  const Value stream = request_["stream"];
  if (!stream.unset()) {
    if (!path_.expect("stream", stream, Kind::boolean)) return false;
    json_.json("stream", stream.text);
    if (stream.text == "true") json_.json("stream_options", R"({"include_usage":true})");
  }
  const Value parallel = request_["parallel_tool_calls"];
  if (parallel.unset()) return true;
  if (!path_.expect("parallel_tool_calls", parallel, Kind::boolean)) return false;
  if (has_tools_) json_.json("parallel_tool_calls", parallel.text);
  return true;
}

bool RequestWriter::write_limit() {
  const Value value = request_["max_output_tokens"];
  if (value.unset()) return true;
  const Step at(path_, "max_output_tokens");
  const std::optional<int64_t> number = path_.expect_count(value, kMaxTokens);
  if (!number) return false;
  json_.number("max_completion_tokens", *number);
  return true;
}

bool RequestWriter::write_reasoning() {
  const Value reasoning = request_["reasoning"];
  if (reasoning.unset()) return true;
  const Step at(path_, "reasoning");
  if (!path_.expect(reasoning, Kind::object)) return false;
  const ShallowObject fields(reasoning);
  const Value effort = fields["effort"];
  if (!effort.unset()) {
    if (!path_.expect("effort", effort, Kind::string)) return false;
    json_.json("reasoning_effort", effort.text);
  }
  for (const std::string_view name : {"summary", "generate_summary"}) {
    const Value summary = fields[name];
    if (summary.unset()) continue;
    if (!path_.expect(name, summary, Kind::string)) return false;
    asked_.reasoning = Asked::Reasoning::summary;
  }
  return true;
}

bool RequestWriter::write_text() {
  const Value text = request_["text"];
  if (text.unset()) return true;
  const Step at(path_, "text");
  if (!path_.expect(text, Kind::object)) return false;
  const ShallowObject fields(text);
  const Value verbosity = fields["verbosity"];
  if (!verbosity.unset()) {
    if (!path_.expect("verbosity", verbosity, Kind::string)) return false;
    json_.json("verbosity", verbosity.text);
  }
  const Value format = fields["format"];
  if (format.unset()) return true;
  const Step inside(path_, "format");
  if (!path_.expect(format, Kind::object)) return false;
  return write_format(ShallowObject(format));
}

bool RequestWriter::write_format(const ShallowObject& format) {
  Value type;
  if (!required_string(format, "type", type)) return false;
  const std::string kind = type.string();
  if (kind == "text") return true;
  if (kind == "json_object") {
    json_.json("response_format", R"({"type":"json_object"})");
    return true;
  }
  if (kind != "json_schema") {
    return path_.refuse("type", "expected 'text', 'json_object' or 'json_schema'");
  }
  if (!path_.expect("schema", format["schema"], Kind::object)) return false;
  json_.key("response_format");
  json_.object();
  json_.string("type", "json_schema");
  json_.key("json_schema");
  json_.object();
  for (const std::string_view name : {"name", "description", "strict", "schema"}) {
    if (!format[name].unset()) json_.json(name, format[name].text);
  }
  json_.end_object();
  json_.end_object();
  return true;
}

bool RequestWriter::write_tools() {
  const Value tools = request_["tools"];
  if (tools.unset()) return true;
  const Step at(path_, "tools");
  if (!path_.expect(tools, Kind::array)) return false;
  const std::vector<Value> elements = json::elements_of(tools);
  if (elements.empty()) return true;
  has_tools_ = true;
  json_.key("tools");
  json_.array();
  for (size_t i = 0; i < elements.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(elements[i], Kind::object)) return false;
    if (!write_tool(ShallowObject(elements[i]))) return false;
  }
  json_.end_array();
  return true;
}

bool RequestWriter::write_tool(const ShallowObject& tool) {
  Value type;
  if (!required_string(tool, "type", type)) return false;
  const std::string kind = type.string();
  if (kind != "function") {
    return path_.refuse("type", "'" + kind + "' is not run here; only 'function' tools are taken");
  }
  Value name;
  if (!required_string(tool, "name", name)) return false;
  const Value parameters = tool["parameters"];
  if (!parameters.unset() && !path_.expect("parameters", parameters, Kind::object)) return false;
  json_.object();
  json_.string("type", "function");
  json_.key("function");
  json_.object();
  for (const std::string_view member : {"name", "description", "parameters", "strict"}) {
    if (!tool[member].unset()) json_.json(member, tool[member].text);
  }
  json_.end_object();
  json_.end_object();
  return true;
}

void RequestWriter::write_function_name(std::string_view name) {
  json_.object();
  json_.string("type", "function");
  json_.key("function");
  json_.object();
  json_.json("name", name);
  json_.end_object();
  json_.end_object();
}

bool RequestWriter::write_tool_choice() {
  const Value choice = request_["tool_choice"];
  if (choice.unset() || !has_tools_) return true;
  const Step at(path_, "tool_choice");
  if (choice.is(Kind::string)) {
    const std::string_view word = choice.raw();
    if (word != "auto" && word != "none" && word != "required") {
      return path_.refuse("expected 'auto', 'none', 'required' or an object");
    }
    json_.json("tool_choice", choice.text);
    return true;
  }
  if (!path_.expect(choice, Kind::object)) return false;
  const ShallowObject fields(choice);
  Value type;
  if (!required_string(fields, "type", type)) return false;
  if (type.raw() == "allowed_tools") return write_allowed_tools(fields);
  if (type.raw() != "function") {
    return path_.refuse("type", "expected 'function' or 'allowed_tools'");
  }
  Value name;
  if (!required_string(fields, "name", name)) return false;
  json_.key("tool_choice");
  write_function_name(name.text);
  return true;
}

bool RequestWriter::write_allowed_tools(const ShallowObject& choice) {
  Value mode;
  if (!required_string(choice, "mode", mode)) return false;
  if (!path_.expect("tools", choice["tools"], Kind::array)) return false;
  json_.key("tool_choice");
  json_.object();
  json_.string("type", "allowed_tools");
  json_.key("allowed_tools");
  json_.object();
  json_.json("mode", mode.text);
  json_.key("tools");
  json_.array();
  const Step at(path_, "tools");
  const std::vector<Value> tools = json::elements_of(choice["tools"]);
  for (size_t i = 0; i < tools.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(tools[i], Kind::object)) return false;
    Value name;
    if (!required_string(ShallowObject(tools[i]), "name", name)) return false;
    write_function_name(name.text);
  }
  json_.end_array();
  json_.end_object();
  json_.end_object();
  return true;
}

// Words that we do not know ask for more than there is, and are passed over.
bool RequestWriter::read_include() {
  const Value include = request_["include"];
  if (include.unset()) return true;
  const Step at(path_, "include");
  if (!path_.expect(include, Kind::array)) return false;
  for (const Value& name : json::elements_of(include)) {
    if (name.text == R"("reasoning.encrypted_content")") asked_.encrypted_reasoning = true;
  }
  return true;
}

void RequestWriter::write_rest() {
  for (const ShallowObject::Member& member : request_) {
    const bool said = std::find(kSaid.begin(), kSaid.end(), member.name) != kSaid.end();
    if (said || member.value.unset()) continue;
    json_.foreign_key(member.name);
    json_.json(member.value.text);
  }
}

void RequestWriter::repeat_request() {
  const size_t large = request_["instructions"].text.size() + request_["tools"].text.size();
  std::string& out = asked_.repeated;
  for (const Repeated& field : kRepeated) {
    const Value value = request_[field.name];
    const bool bulky = field.name == "instructions" || field.name == "tools";
    const bool given = !value.unset() && !(bulky && large > kMaxRepeatedBytes);
    out.append("\"").append(field.name).append("\":");
    out.append(given ? value.text : field.unset).append(",");
  }
  // An event is one line; between tokens one white space is as good as another.
  std::replace_if(out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

bool RequestWriter::required_string(const ShallowObject& of, std::string_view member,
                                    Value& value) {
  value = of[member];
  return path_.expect(member, value, Kind::string);
}

}  // namespace deeppool::llm::responses
