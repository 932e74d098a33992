#include "mock_upstream/ask.h"

#include <boost/json.hpp>

#include "base/text.h"

namespace deeppool::mock {
namespace {

namespace bj = boost::json;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

std::string_view text_of(const bj::value& v) {
  return v.is_string() ? std::string_view(v.get_string()) : std::string_view();
}

const bj::value* member(const bj::object& object, std::string_view name) {
  return object.if_contains(name);
}

bool is_true(const bj::object& object, std::string_view name) {
  const bj::value* v = member(object, name);
  return v != nullptr && v->is_bool() && v->get_bool();
}

int64_t whole(const bj::object& object, std::string_view name) {
  const bj::value* v = member(object, name);
  return v != nullptr && v->is_int64() ? v->get_int64() : -1;
}

std::string string_member(const bj::object& object, std::string_view name) {
  const bj::value* v = member(object, name);
  return v == nullptr ? std::string() : std::string(text_of(*v));
}

void read_content(const bj::value& content, Ask& ask) {
  if (content.is_string()) {
    ask.prompt_tokens += count_words(text_of(content));
    ask.last_text = text_of(content);
    return;
  }
  if (!content.is_array()) return;
  for (const bj::value& part : content.get_array()) {
    if (!part.is_object()) continue;
    const std::string type = string_member(part.get_object(), "type");
    if (type == "image_url") ++ask.images;
    if (type != "text") continue;
    ask.last_text = string_member(part.get_object(), "text");
    ask.prompt_tokens += count_words(ask.last_text);
  }
}

Result<void> read_messages(const bj::object& body, Ask& ask) {
  const bj::value* messages = member(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->get_array().empty()) {
    return Error::invalid("messages", "'messages' must be an array with at least one message.");
  }
  for (const bj::value& message : messages->get_array()) {
    if (!message.is_object()) return Error::invalid("messages", "A message must be an object.");
    const bj::object& fields = message.get_object();
    if (string_member(fields, "role") == "tool") ask.has_tool_result = true;
    if (const bj::value* content = member(fields, "content")) read_content(*content, ask);
  }
  return {};
}

void read_tools(const bj::object& body, Ask& ask) {
  const bj::value* tools = member(body, "tools");
  if (tools == nullptr || !tools->is_array()) return;
  for (const bj::value& tool : tools->get_array()) {
    if (!tool.is_object()) continue;
    const bj::value* function = member(tool.get_object(), "function");
    if (function == nullptr || !function->is_object()) continue;
    ask.tools.push_back(string_member(function->get_object(), "name"));
  }
}

void read_format(const bj::object& body, Ask& ask) {
  const bj::value* format = member(body, "response_format");
  if (format == nullptr || !format->is_object()) return;
  ask.response_format = string_member(format->get_object(), "type");
  const bj::value* schema = member(format->get_object(), "json_schema");
  if (schema == nullptr || !schema->is_object()) return;
  ask.schema_name = string_member(schema->get_object(), "name");
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
    read_content(item, ask);
    if (item.is_array()) ask.prompt_tokens += static_cast<int64_t>(item.get_array().size());
  }
  return {};
}

Result<void> read_fields(const bj::object& body, Ask& ask) {
  ask.model = string_member(body, "model");
  if (ask.model.empty()) return Error::invalid("model", "you must provide a model parameter");
  ask.stream = is_true(body, "stream");
  if (const bj::value* options = member(body, "stream_options");
      options != nullptr && options->is_object()) {
    ask.include_usage = is_true(options->get_object(), "include_usage");
  }
  ask.max_tokens = whole(body, "max_completion_tokens");
  if (ask.max_tokens < 0) ask.max_tokens = whole(body, "max_tokens");
  if (ask.route == Route::chat) {
    read_tools(body, ask);
    read_format(body, ask);
    return read_messages(body, ask);
  }
  if (ask.route == Route::completions) return read_input(body, "prompt", ask);
  ask.stream = false;
  ask.dimensions = whole(body, "dimensions");
  ask.base64 = string_member(body, "encoding_format") == "base64";
  return read_input(body, "input", ask);
}

}  // namespace

int64_t count_words(std::string_view text) {
  int64_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = is_space(c);
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return words;
}

Route route_of(const http::RequestHead& head) {
  std::string_view path = head.target.substr(0, head.target.find('?'));
  const bool get = head.method == http::Method::get;
  if (path == "/mock/stats" && get) return Route::stats;
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  if (path == "/models" && get) return Route::models;
  if (head.method != http::Method::post) return Route::unknown;
  if (path == "/chat/completions") return Route::chat;
  if (path == "/completions") return Route::completions;
  if (path == "/embeddings") return Route::embeddings;
  return Route::unknown;
}

Result<Ask> read_ask(const http::RequestHead& head, std::string_view body) {
  Ask ask;
  ask.route = route_of(head);
  if (ask.route == Route::chat || ask.route == Route::completions ||
      ask.route == Route::embeddings) {
    unsigned char memory[4096];
    bj::monotonic_resource resource(memory, sizeof memory);
    boost::system::error_code failed;
    const bj::value parsed = bj::parse(body, failed, &resource);
    if (failed || !parsed.is_object()) {
      return Error(ErrorCode::invalid_request,
                   "We could not parse the JSON body of your request: " + failed.message());
    }
    DP_CHECK(read_fields(parsed.get_object(), ask));
    ask.script = parse_model_script(ask.model);
  }
  if (const auto header = head.headers.find("x-mock")) ask.script = parse_header_script(*header);
  return ask;
}

}  // namespace deeppool::mock
