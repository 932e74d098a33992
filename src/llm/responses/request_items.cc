#include "llm/opaque.h"
#include "llm/responses/request_writer.h"

namespace deeppool::llm::responses {

using json::Kind;
using json::ShallowObject;
using json::Value;
using Step = FieldPath::Step;

namespace {

void append_element(std::string& list, std::string_view element) {
  if (!list.empty()) list += ',';
  list += element;
}

std::string text_part(std::string_view escaped) {
  return R"({"type":"text","text":")" + std::string(escaped) + "\"}";
}

}  // namespace

bool RequestWriter::write_messages() {
  json_.key("messages");
  json_.array();
  const Value instructions = request_["instructions"];
  if (!instructions.unset()) {
    if (!path_.expect("instructions", instructions, Kind::string)) return false;
    write_plain("system", instructions);
  }
  const Step at(path_, "input");
  const Value input = request_["input"];
  if (input.is(Kind::string)) {
    write_plain("user", input);
  } else if (!write_items(input)) {
    return false;
  }
  json_.end_array();
  return true;
}

bool RequestWriter::write_items(Value input) {
  if (!input) return path_.refuse("the field is required");
  if (!input.is(Kind::array)) return path_.refuse("expected a string or an array of items");
  const std::vector<Value> items = json::elements_of(input);
  if (items.empty()) return path_.refuse("must not be empty");
  for (size_t i = 0; i < items.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(items[i], Kind::object)) return false;
    if (!write_item(ShallowObject(items[i]))) return false;
  }
  end_turn();
  end_outputs();
  return true;
}

bool RequestWriter::write_item(const ShallowObject& item) {
  const Value type = item["type"];
  if (!type.unset() && !path_.expect("type", type, Kind::string)) return false;
  const std::string kind = type.unset() ? "message" : type.string();
  if (kind == "function_call_output") return write_call_output(item);
  end_outputs();
  if (kind == "message") return write_message(item);
  if (kind == "reasoning") return add_reasoning(item);
  if (kind == "function_call") return add_call(item);
  if (kind == "item_reference") {
    return path_.refuse(
        "type", "items are not kept here: set store: false, and clients send the items themselves");
  }
  return path_.refuse("type", "items of type '" + kind + "' are not supported here");
}

void RequestWriter::write_plain(std::string_view role, Value text) {
  json_.object();
  json_.string("role", role);
  json_.json("content", text.text);
  json_.end_object();
}

bool RequestWriter::write_message(const ShallowObject& item) {
  Value role;
  if (!required_string(item, "role", role)) return false;
  const std::string name = role.string();
  const bool known =
      name == "user" || name == "assistant" || name == "system" || name == "developer";
  if (!known) {
    return path_.refuse("role", "expected 'user', 'assistant', 'system' or 'developer'");
  }
  const Value content = item["content"];
  const Step at(path_, "content");
  if (name == "assistant") return add_assistant_text(content);
  end_turn();
  if (content.is(Kind::string)) {
    write_plain(name, content);
    return true;
  }
  return write_parts(name, content);
}

bool RequestWriter::write_parts(std::string_view role, Value content) {
  if (!path_.expect(content, Kind::array)) return false;
  const std::vector<Value> parts = json::elements_of(content);
  if (parts.empty()) return path_.refuse("must not be empty");
  std::string list;
  JsonOut json(list);
  for (size_t i = 0; i < parts.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(parts[i], Kind::object)) return false;
    if (!write_part(json, ShallowObject(parts[i]))) return false;
  }
  json_.object();
  json_.string("role", role);
  const Value text = parts.size() == 1 ? ShallowObject(parts.front())["text"] : Value();
  if (text.is(Kind::string)) {
    json_.json("content", text.text);
  } else {
    json_.json("content", "[" + list + "]");
  }
  json_.end_object();
  return true;
}

bool RequestWriter::write_part(JsonOut& json, const ShallowObject& part) {
  Value type;
  if (!required_string(part, "type", type)) return false;
  const std::string kind = type.string();
  if (kind == "input_text" || kind == "output_text" || kind == "text") {
    Value text;
    if (!required_string(part, "text", text)) return false;
    json.json(text_part(text.raw()));
    return true;
  }
  if (kind == "input_image") return write_image(json, part);
  if (kind == "input_file") return write_file(json, part);
  if (kind != "input_audio") return path_.refuse("type", "'" + kind + "' is not supported here");
  if (!path_.expect("input_audio", part["input_audio"], Kind::object)) return false;
  json.object();
  json.string("type", "input_audio");
  json.json("input_audio", part["input_audio"].text);
  json.end_object();
  return true;
}

bool RequestWriter::write_image(JsonOut& json, const ShallowObject& part) {
  if (!part["file_id"].unset()) {
    return path_.refuse("file_id", "files are not kept here; send image_url, a data URL will do");
  }
  Value url;
  if (!required_string(part, "image_url", url)) return false;
  json.object();
  json.string("type", "image_url");
  json.key("image_url");
  json.object();
  json.json("url", url.text);
  if (!part["detail"].unset()) json.json("detail", part["detail"].text);
  json.end_object();
  json.end_object();
  return true;
}

bool RequestWriter::write_file(JsonOut& json, const ShallowObject& part) {
  if (!part["file_id"].unset()) {
    return path_.refuse("file_id", "files are not kept here; send file_data");
  }
  Value data = part["file_url"];
  if (data.unset() && !required_string(part, "file_data", data)) return false;
  if (!path_.expect("file_url", data, Kind::string)) return false;
  const Value name = part["filename"];
  json.object();
  json.string("type", "file");
  json.key("file");
  json.object();
  json.json("filename", name.is(Kind::string) ? name.text : R"("document.pdf")");
  json.json("file_data", data.text);
  json.end_object();
  json.end_object();
  return true;
}

bool RequestWriter::add_assistant_text(Value content) {
  if (turn_.has_text && turn_.calls.empty()) end_turn();
  turn_.any = turn_.has_text = true;
  if (content.is(Kind::string)) {
    turn_.text += content.raw();
    return true;
  }
  if (!path_.expect(content, Kind::array)) return false;
  const std::vector<Value> parts = json::elements_of(content);
  for (size_t i = 0; i < parts.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(parts[i], Kind::object)) return false;
    if (!add_assistant_part(ShallowObject(parts[i]))) return false;
  }
  return true;
}

bool RequestWriter::add_assistant_part(const ShallowObject& part) {
  Value type;
  if (!required_string(part, "type", type)) return false;
  const std::string kind = type.string();
  if (kind != "output_text" && kind != "refusal" && kind != "input_text" && kind != "text") {
    return path_.refuse("type", "'" + kind + "' is not supported here");
  }
  Value text;
  if (!required_string(part, kind == "refusal" ? "refusal" : "text", text)) return false;
  turn_.text += text.raw();
  return true;
}

bool RequestWriter::add_reasoning(const ShallowObject& item) {
  if (turn_.has_text && turn_.calls.empty()) end_turn();
  turn_.any = true;
  std::string text;
  if (!add_summaries(item, "summary", text)) return false;
  if (text.empty() && !add_summaries(item, "content", text)) return false;
  if (!text.empty() && !turn_.thoughts.empty()) turn_.thoughts += "\\n\\n";
  turn_.thoughts += text;
  const Value encrypted = item["encrypted_content"];
  if (encrypted.unset()) return true;
  if (!path_.expect("encrypted_content", encrypted, Kind::string)) return false;
  return add_kept_reasoning(encrypted, text);
}

bool RequestWriter::add_summaries(const ShallowObject& item, std::string_view member,
                                  std::string& text) {
  const Value list = item[member];
  if (list.unset()) return true;
  const Step at(path_, member);
  if (!path_.expect(list, Kind::array)) return false;
  const std::vector<Value> parts = json::elements_of(list);
  for (size_t i = 0; i < parts.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(parts[i], Kind::object)) return false;
    Value said;
    if (!required_string(ShallowObject(parts[i]), "text", said)) return false;
    if (!text.empty()) text += "\\n\\n";
    text += said.raw();
  }
  return true;
}

// What we wrapped when we sent the item; another's is of no use to anybody here. `shown`: its text,
// if it came along.
bool RequestWriter::add_kept_reasoning(Value encrypted, std::string_view shown) {
  const auto ours = from_opaque(encrypted.raw());
  if (!ours) return true;
  const Value list{ours->view()};
  if (!list.is(Kind::array)) return path_.refuse("encrypted_content", "was changed on its way");
  for (const Value& element : json::elements_of(list)) {
    if (!element.is(Kind::object)) continue;
    const ShallowObject detail(element);
    if (detail["type"].text == R"("tool_call.extra_content")") {
      const Value id = detail["id"];
      const Value extra = detail["extra_content"];
      if (!id.is(Kind::string) || !extra.is(Kind::object)) continue;
      extra_contents_.emplace_back(id.raw(), extra.text);
      continue;
    }
    const Value thinking = detail["thinking"];
    if (thinking.is(Kind::string) && shown.empty()) turn_.thoughts += thinking.raw();
    // Text without a proof is among the thoughts, and nothing else.
    if (thinking.is(Kind::string) && detail["signature"].unset()) continue;
    append_element(turn_.details, element.text);
  }
  return true;
}

bool RequestWriter::add_call(const ShallowObject& item) {
  Value id;
  Value name;
  Value arguments;
  if (!required_string(item, "call_id", id)) return false;
  if (!required_string(item, "name", name)) return false;
  if (!required_string(item, "arguments", arguments)) return false;
  std::string call;
  JsonOut json(call);
  json.object();
  json.json("id", id.text);
  json.string("type", "function");
  json.key("function");
  json.object();
  json.json("name", name.text);
  json.json("arguments", arguments.raw().empty() ? R"("{}")" : arguments.text);
  json.end_object();
  for (const auto& [of, extra] : extra_contents_) {
    if (of == id.raw()) json.json("extra_content", extra);
  }
  json.end_object();
  turn_.any = true;
  append_element(turn_.calls, call);
  return true;
}

bool RequestWriter::write_call_output(const ShallowObject& item) {
  end_turn();
  Value id;
  if (!required_string(item, "call_id", id)) return false;
  const Value output = item["output"];
  json_.object();
  json_.string("role", "tool");
  json_.json("tool_call_id", id.text);
  if (output.is(Kind::string)) {
    json_.json("content", output.text);
  } else if (!write_output_parts(item)) {
    return false;
  }
  json_.end_object();
  return true;
}

// Tools return text alone to OpenAI-like upstreams: pictures and files go into a user's turn behind
// all outputs.
bool RequestWriter::write_output_parts(const ShallowObject& item) {
  const Step at(path_, "output");
  if (!path_.expect(item["output"], Kind::array)) return false;
  const std::vector<Value> parts = json::elements_of(item["output"]);
  std::string texts;
  bool labelled = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(parts[i], Kind::object)) return false;
    const ShallowObject part(parts[i]);
    std::string made;
    JsonOut json(made);
    if (!write_part(json, part)) return false;
    if (part["text"].is(Kind::string)) {
      append_element(texts, made);
      continue;
    }
    if (!labelled) {
      const std::string_view id = item["call_id"].raw();
      append_element(texts, text_part("What the tool returned follows in the next message."));
      append_element(attachments_, text_part("Returned by the tool call " + std::string(id) + ":"));
      labelled = true;
    }
    append_element(attachments_, made);
  }
  json_.json("content", "[" + texts + "]");
  return true;
}

void RequestWriter::end_turn() {
  if (!turn_.any) return;
  json_.object();
  json_.string("role", "assistant");
  if (turn_.has_text || turn_.calls.empty()) {
    json_.raw("content", turn_.text);
  } else {
    json_.json("content", "null");
  }
  if (!turn_.thoughts.empty()) json_.raw("reasoning_content", turn_.thoughts);
  if (!turn_.details.empty()) json_.json("reasoning_details", "[" + turn_.details + "]");
  if (!turn_.calls.empty()) json_.json("tool_calls", "[" + turn_.calls + "]");
  json_.end_object();
  turn_ = {};
}

void RequestWriter::end_outputs() {
  if (attachments_.empty()) return;
  json_.object();
  json_.string("role", "user");
  json_.json("content", "[" + attachments_ + "]");
  json_.end_object();
  attachments_.clear();
}

}  // namespace deeppool::llm::responses
