#include "llm/anthropic/request_writer.h"
#include "llm/opaque.h"

namespace deeppool::llm::anthropic {

using json::Kind;
using json::ShallowObject;
using json::Value;
using Step = FieldPath::Step;

namespace {

// What Anthropic's own tools left in an answer. It means nothing to other vendors, and to Anthropic
// the texts around it are enough.
bool of_server_tools(std::string_view type) {
  return type == "server_tool_use" || type == "mcp_tool_use" || type == "mcp_tool_result" ||
         (type.ends_with("_tool_result") && type != "tool_result");
}

// Such a text is left out on its way to Anthropic, which refuses it.
bool is_blank(Value text) {
  return text.string().find_first_not_of(" \t\r\n\f\b") == std::string::npos;
}

bool is_null(Value value) {
  return value.is(Kind::null);
}

}  // namespace

bool RequestWriter::write_messages() {
  json_.key("messages");
  json_.array();
  const Value system = request_["system"];
  if (!system.unset()) {
    const Step at(path_, "system");
    if (!write_system(system)) return false;
  }
  const Step at(path_, "messages");
  if (!path_.expect(request_["messages"], Kind::array)) return false;
  const std::vector<Value> messages = json::elements_of(request_["messages"]);
  if (messages.empty()) return path_.refuse("must not be empty");
  for (size_t i = 0; i < messages.size(); ++i) {
    const Step element(path_, i);
    if (!path_.expect(messages[i], Kind::object)) return false;
    if (!write_message(ShallowObject(messages[i]))) return false;
  }
  json_.end_array();
  return true;
}

bool RequestWriter::write_message(const ShallowObject& message) {
  Value role;
  if (!required_string(message, "role", role)) return false;
  const Value content = message["content"];
  const std::string name = role.string();
  if (name != "user" && name != "assistant" && name != "system") {
    return path_.refuse("role", "expected 'user', 'assistant' or 'system'");
  }
  const Step at(path_, "content");
  if (name == "system") return write_system(content);
  return name == "user" ? write_user_turn(content) : write_assistant_turn(content);
}

void RequestWriter::write_plain(std::string_view role, Value content) {
  text_bytes_ += content.text.size();
  json_.object();
  json_.string("role", role);
  json_.json("content", content.text);
  json_.end_object();
}

// Of the value at the path, which must be a list of typed objects.
bool RequestWriter::read_blocks(Value content, Blocks& blocks) {
  if (!content.is(Kind::array)) {
    if (!content) return path_.refuse("the field is required");
    return path_.refuse("expected a string or an array of content blocks");
  }
  const std::vector<Value> elements = json::elements_of(content);
  blocks.reserve(elements.size());
  for (size_t i = 0; i < elements.size(); ++i) {
    const Step at(path_, i);
    if (!path_.expect(elements[i], Kind::object)) return false;
    Block block{i, {}, ShallowObject(elements[i])};
    Value type;
    if (!required_string(block.object, "type", type)) return false;
    block.type = type.string();
    blocks.push_back(std::move(block));
  }
  return true;
}

// A single text that nothing else is said about is written as the plain string that every upstream
// takes.
void RequestWriter::write_content(const std::string& parts, const Blocks& texts) {
  json_.key("content");
  const bool plain = texts.size() == 1 && texts.front().type == "text" &&
                     texts.front().object["cache_control"].unset();
  if (plain) {
    json_.json(texts.front().object["text"].text);
    return;
  }
  json_.array();
  json_.json(parts);
  json_.end_array();
}

bool RequestWriter::write_system(Value content) {
  if (content.is(Kind::string)) {
    if (!content.raw().empty()) write_plain("system", content);
    return true;
  }
  Blocks blocks;
  if (!read_blocks(content, blocks)) return false;
  if (blocks.empty()) return true;
  std::string parts;
  JsonOut json(parts);
  for (const Block& block : blocks) {
    const Step at(path_, block.index);
    if (block.type != "text") return unsupported(block.type);
    if (!write_text(json, block)) return false;
  }
  json_.object();
  json_.string("role", "system");
  write_content(parts, blocks);
  json_.end_object();
  return true;
}

// The results of tools come first, as one message each: the house wants them right behind the
// calls.
bool RequestWriter::write_user_turn(Value content) {
  if (content.is(Kind::string)) {
    write_plain("user", content);
    return true;
  }
  Blocks blocks;
  if (!read_blocks(content, blocks)) return false;
  if (blocks.empty()) return path_.refuse("must not be empty");
  std::string attachments;
  JsonOut attached(attachments);
  Blocks others;
  for (Block& block : blocks) {
    if (block.type != "tool_result") {
      others.push_back(std::move(block));
      continue;
    }
    const Step at(path_, block.index);
    if (!write_tool_result(block, attached)) return false;
  }
  if (others.empty() && attachments.empty()) return true;
  return write_user_parts(others, attachments);
}

bool RequestWriter::write_user_parts(const Blocks& blocks, std::string_view attachments) {
  std::string parts(attachments);
  // Behind what is there already.
  if (!parts.empty() && !blocks.empty()) parts += ',';
  JsonOut json(parts);
  for (const Block& block : blocks) {
    const Step at(path_, block.index);
    if (!write_part(json, block)) return false;
  }
  json_.object();
  json_.string("role", "user");
  write_content(parts, attachments.empty() ? blocks : Blocks());
  json_.end_object();
  return true;
}

// OpenAI-like upstreams take text alone from tools: pictures and files go into the user's turn
// behind the results.
bool RequestWriter::write_tool_result(const Block& block, JsonOut& attachments) {
  Value id;
  if (!required_string(block.object, "tool_use_id", id)) return false;
  const Value content = block.object["content"];
  json_.object();
  json_.string("role", "tool");
  json_.json("tool_call_id", id.text);
  if (content.unset() || content.is(Kind::string)) {
    text_bytes_ += content.text.size();
    json_.json("content", content.unset() ? "\"\"" : content.text);
  } else {
    std::string texts;
    JsonOut json(texts);
    const Step at(path_, "content");
    if (!write_result_parts(block, json, attachments)) return false;
    json_.key("content");
    json_.array();
    if (!texts.empty()) json_.json(texts);
    json_.end_array();
  }
  if (block.object["is_error"].text == "true") json_.json("is_error", "true");
  write_cache_control(json_, block.object);
  json_.end_object();
  return true;
}

bool RequestWriter::write_result_parts(const Block& result, JsonOut& texts, JsonOut& attachments) {
  Blocks blocks;
  if (!read_blocks(result.object["content"], blocks)) return false;
  bool labelled = false;
  for (const Block& block : blocks) {
    const Step at(path_, block.index);
    if (block.type == "tool_reference") {
      Value name;
      if (!required_string(block.object, "tool_name", name)) return false;
      write_text_part(texts, name.raw(), block.object);
      continue;
    }
    const bool attached = block.type == "image" || block.type == "document";
    if (attached && !labelled) {
      const std::string_view id = result.object["tool_use_id"].raw();
      write_text_part(texts, "What the tool returned follows in the next message.", {});
      write_text_part(attachments, "Returned by the tool call " + std::string(id) + ":", {});
      labelled = true;
    }
    if (!write_part(attached ? attachments : texts, block)) return false;
  }
  return true;
}

bool RequestWriter::write_assistant_turn(Value content) {
  if (content.is(Kind::string)) {
    write_plain("assistant", content);
    return true;
  }
  Blocks blocks;
  if (!read_blocks(content, blocks)) return false;
  Blocks texts;
  std::string parts;
  JsonOut json(parts);
  bool calls = false;
  for (const Block& block : blocks) {
    const Step at(path_, block.index);
    calls = calls || block.type == "tool_use";
    const bool known = block.type == "text" || block.type == "tool_use" ||
                       block.type == "thinking" || block.type == "redacted_thinking" ||
                       of_server_tools(block.type);
    if (!known) return unsupported(block.type);
    if (block.type != "text") continue;
    if (!write_text(json, block)) return false;
    texts.push_back(block);
  }
  json_.object();
  json_.string("role", "assistant");
  if (!texts.empty()) {
    write_content(parts, texts);
  } else {
    json_.json("content", calls ? "null" : "\"\"");
  }
  if (!write_thoughts(blocks) || !write_tool_calls(blocks)) return false;
  json_.end_object();
  return true;
}

// The text for all, and what proves it for those who want it back, with its place among the blocks
// that go on to them.
bool RequestWriter::write_thoughts(const Blocks& blocks) {
  std::string text;
  std::string details;
  JsonOut json(details);
  int64_t place = 0;
  for (const Block& block : blocks) {
    const Step at(path_, block.index);
    if (block.type == "text" && !is_blank(block.object["text"])) ++place;
    if (block.type == "redacted_thinking" && !take_redacted(block, place, json)) return false;
    if (block.type != "thinking") continue;
    Value thinking;
    if (!required_string(block.object, "thinking", thinking)) return false;
    if (!text.empty()) text += "\\n\\n";
    text += thinking.raw();
    const Value signature = block.object["signature"];
    if (signature.unset()) continue;
    if (!path_.expect("signature", signature, Kind::string)) return false;
    if (signature.raw().empty()) continue;
    json.object();
    json.string("type", "thinking");
    json.json("thinking", thinking.text);
    json.json("signature", signature.text);
    json.number("index", place++);
    json.end_object();
  }
  text_bytes_ += text.size();
  if (!text.empty()) json_.raw("reasoning_content", text);
  if (details.empty()) return true;
  json_.key("reasoning_details");
  json_.array();
  json_.json(details);
  json_.end_array();
  return true;
}

// Anthropic's own, or what we wrapped for another vendor.
bool RequestWriter::take_redacted(const Block& block, int64_t& place, JsonOut& details) {
  Value data;
  if (!required_string(block.object, "data", data)) return false;
  const auto ours = from_opaque(data.raw());
  if (!ours) {
    details.object();
    details.string("type", "redacted_thinking");
    details.json("data", data.text);
    details.number("index", place++);
    details.end_object();
    return true;
  }
  const Value whole{ours->view()};
  if (!whole.is(Kind::object)) return path_.refuse("data", "was changed on its way");
  const ShallowObject kept(whole);
  const Value id = kept["id"];
  const Value extra = kept["extra_content"];
  if (kept["type"].text == R"("tool_call.extra_content")" && id.is(Kind::string) &&
      extra.is(Kind::object)) {
    extra_contents_.emplace_back(id.raw(), extra.text);
  } else {
    details.json(whole.text);
  }
  return true;
}

bool RequestWriter::write_tool_calls(const Blocks& blocks) {
  bool any = false;
  for (const Block& block : blocks) {
    if (block.type != "tool_use") continue;
    const Step at(path_, block.index);
    if (!any) json_.key("tool_calls"), json_.array();
    any = true;
    if (!write_tool_call(block)) return false;
  }
  if (any) json_.end_array();
  return true;
}

bool RequestWriter::write_tool_call(const Block& block) {
  Value id;
  Value name;
  if (!required_string(block.object, "id", id)) return false;
  if (!required_string(block.object, "name", name)) return false;
  const Value input = block.object["input"];
  if (input && !is_null(input) && !path_.expect("input", input, Kind::object)) return false;
  text_bytes_ += input.text.size();
  json_.object();
  json_.json("id", id.text);
  json_.string("type", "function");
  json_.key("function");
  json_.object();
  json_.json("name", name.text);
  json_.string("arguments", input.unset() ? "{}" : input.text);
  json_.end_object();
  for (const auto& [call, extra] : extra_contents_) {
    if (call == id.raw()) json_.json("extra_content", extra);
  }
  write_cache_control(json_, block.object);
  json_.end_object();
  return true;
}

}  // namespace deeppool::llm::anthropic
