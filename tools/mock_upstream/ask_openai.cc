// What OpenAI's API, and those that copy it, read from a request.
#include "mock_upstream/ask.h"

namespace deeppool::mock {
namespace {

void read_content(const bj::value& content, Ask& ask) {
  if (content.is_string()) take_text(text_of(content), ask);
  if (!content.is_array()) return;
  for (const bj::value& part : content.get_array()) {
    if (!part.is_object()) continue;
    const std::string_view type = text_member(part.get_object(), "type");
    if (type == "image_url") ++ask.images;
    if (type == "text") take_text(text_member(part.get_object(), "text"), ask);
  }
}

// Two ways to ask for the rest of an answer: a mark on its beginning, or a field of the request.
bool goes_on(const bj::object& body, const bj::object& last) {
  return text_member(last, "role") == "assistant" &&
         (is_true(last, "prefix") || is_true(body, "continue_final_message"));
}

Result<void> read_messages(const bj::object& body, Ask& ask) {
  const bj::array* messages = array_member(body, "messages");
  if (messages == nullptr || messages->empty()) {
    return Error::invalid("messages", "'messages' must be an array with at least one message.");
  }
  for (const bj::value& message : *messages) {
    if (!message.is_object()) return Error::invalid("messages", "A message must be an object.");
    const bj::object& fields = message.get_object();
    const std::string_view role = text_member(fields, "role");
    if (role == "tool") ask.has_tool_result = true;
    if (role == "user") ask.has_tool_result = false;
    if (const bj::value* content = member(fields, "content")) read_content(*content, ask);
  }
  if (goes_on(body, messages->back().get_object())) ask.answered = ask.last_text;
  return {};
}

void read_tools(const bj::object& body, Ask& ask) {
  const bj::array* tools = array_member(body, "tools");
  for (size_t i = 0; tools != nullptr && i < tools->size(); ++i) {
    const bj::object* tool = (*tools)[i].if_object();
    const bj::object* function = tool == nullptr ? nullptr : object_member(*tool, "function");
    if (function == nullptr) continue;
    const bj::value* schema = member(*function, "parameters");
    ask.tools.push_back({std::string(text_member(*function, "name")),
                         schema == nullptr ? "" : bj::serialize(*schema)});
  }
  if (const bj::object* choice = object_member(body, "tool_choice")) {
    if (const bj::object* function = object_member(*choice, "function")) {
      ask.forced_tool = text_member(*function, "name");
    }
  }
}

void read_format(const bj::object& body, Ask& ask) {
  const bj::object* format = object_member(body, "response_format");
  if (format == nullptr) return;
  ask.wants_json = text_member(*format, "type").starts_with("json");
  const bj::object* named = object_member(*format, "json_schema");
  const bj::value* schema = named == nullptr ? nullptr : member(*named, "schema");
  if (schema != nullptr) ask.schema = bj::serialize(*schema);
}

bool all_numbers(const bj::array& items) {
  for (const bj::value& item : items) {
    if (!item.is_number()) return false;
  }
  return true;
}

// Prompt or embedding input: a text, texts, token ids, or lists of token ids.
Result<void> read_input(const bj::object& body, std::string_view name, Ask& ask) {
  const bj::value* input = member(body, name);
  if (input == nullptr) {
    return Error::invalid(std::string(name), "'" + std::string(name) + "' is required.");
  }
  if (input->is_string()) {
    read_content(*input, ask);
    return {};
  }
  if (!input->is_array() || input->get_array().empty()) {
    return Error::invalid(std::string(name), "A text or a non-empty array is wanted.");
  }
  const bj::array& items = input->get_array();
  if (all_numbers(items)) {
    ask.prompt_tokens += static_cast<int64_t>(items.size());
    return {};
  }
  ask.inputs = items.size();
  for (const bj::value& item : items) {
    if (item.is_array()) {
      ask.prompt_tokens += static_cast<int64_t>(item.get_array().size());
    } else {
      read_content(item, ask);
    }
  }
  return {};
}

}  // namespace

Result<void> read_openai(const bj::object& body, Ask& ask) {
  ask.model = text_member(body, "model");
  if (ask.model.empty()) return Error::invalid("model", "you must provide a model parameter");
  ask.stream = is_true(body, "stream");
  if (const bj::object* options = object_member(body, "stream_options")) {
    ask.include_usage = is_true(*options, "include_usage");
  }
  ask.max_tokens = whole_member(body, "max_completion_tokens");
  if (ask.max_tokens < 0) ask.max_tokens = whole_member(body, "max_tokens");
  if (ask.route == Route::chat) {
    read_tools(body, ask);
    read_format(body, ask);
    return read_messages(body, ask);
  }
  if (ask.route == Route::completions) return read_input(body, "prompt", ask);
  ask.stream = false;
  ask.dimensions = whole_member(body, "dimensions");
  ask.base64 = text_member(body, "encoding_format") == "base64";
  return read_input(body, "input", ask);
}

}  // namespace deeppool::mock
