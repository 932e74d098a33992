// What Anthropic's Messages API reads from a request, and what it refuses, in its words. The rules
// are those of its public documentation and of its answers to wrong requests.
#include <algorithm>
#include <array>
#include <set>

#include "mock_upstream/ask.h"

namespace deeppool::mock {
namespace {

constexpr std::string_view kNewVersion = "2026-10-21";
constexpr int64_t kMinThinkingBudget = 1024;

Error refuse(std::string message) {
  return Error(ErrorCode::invalid_request, std::move(message));
}

std::string at(size_t message) {
  return "messages." + std::to_string(message);
}
std::string at(size_t message, size_t block) {
  return at(message) + ".content." + std::to_string(block);
}

bool allowed_name(std::string_view name, size_t most) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= most && std::ranges::all_of(name, allowed);
}

Result<std::string_view> read_headers(const http::RequestHead& head) {
  if (!head.headers.find("x-api-key") && !head.headers.find("authorization")) {
    return Error(ErrorCode::unauthenticated, "x-api-key header is required");
  }
  const auto version = head.headers.find("anthropic-version");
  if (!version) return refuse("anthropic-version: header is required");
  if (*version != "2023-06-01" && *version != kNewVersion) {
    return refuse("anthropic-version: \"" + std::string(*version) + "\" is not a valid version");
  }
  return *version;
}

Result<void> check_fields(const bj::object& body, bool new_version) {
  constexpr std::array<std::string_view, 18> kFields = {
      "model",       "messages",    "max_tokens",     "system",   "tools",
      "tool_choice", "stream",      "stop_sequences", "thinking", "output_config",
      "metadata",    "container",   "cache_control",  "speed",    "context_management",
      "diagnostics", "mcp_servers", "service_tier"};
  for (const auto& [name, value] : body) {
    const std::string_view field = name;
    const bool sampling = field == "temperature" || field == "top_p" || field == "top_k";
    if (sampling && !new_version) continue;
    if (std::ranges::find(kFields, field) != kFields.end()) continue;
    return refuse(std::string(field) + ": Extra inputs are not permitted");
  }
  for (const std::string_view field : {"model", "messages"}) {
    if (member(body, field) == nullptr) return refuse(std::string(field) + ": Field required");
  }
  return {};
}

Result<void> check_thinking(const bj::object& body, const Ask& ask) {
  const bj::object* thinking = object_member(body, "thinking");
  if (thinking == nullptr || text_member(*thinking, "type") == "disabled") return {};
  if (text_member(*thinking, "type") == "enabled") {
    const int64_t budget = whole_member(*thinking, "budget_tokens");
    if (budget < kMinThinkingBudget) {
      return refuse(
          "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    }
    if (budget >= ask.max_tokens) {
      return refuse("`max_tokens` must be greater than `thinking.budget_tokens`.");
    }
  }
  const bj::object* choice = object_member(body, "tool_choice");
  const std::string_view how = choice == nullptr ? "auto" : text_member(*choice, "type");
  if (how == "any" || how == "tool") {
    return refuse("Thinking may not be enabled when tool_choice forces tool use.");
  }
  const bj::value* temperature = member(body, "temperature");
  if (temperature != nullptr && temperature->is_number() && temperature->to_number<double>() != 1) {
    return refuse("`temperature` may only be set to 1 when thinking is enabled.");
  }
  return {};
}

Result<void> check_sampling(const bj::object& body) {
  const bj::value* temperature = member(body, "temperature");
  if (temperature == nullptr) return {};
  if (!temperature->is_number()) return refuse("temperature: Input should be a valid number");
  const auto value = temperature->to_number<double>();
  if (value < 0 || value > 1) return refuse("temperature: range: 0..1");
  return {};
}

Result<void> read_tools(const bj::object& body, Ask& ask) {
  const bj::array* tools = array_member(body, "tools");
  for (size_t i = 0; tools != nullptr && i < tools->size(); ++i) {
    const std::string where = "tools." + std::to_string(i);
    const bj::object* tool = (*tools)[i].if_object();
    if (tool == nullptr) return refuse(where + ": Input should be an object");
    const std::string_view type = text_member(*tool, "type");
    if (!type.empty() && type != "custom") continue;  // a tool of the server's own
    const std::string_view name = text_member(*tool, "name");
    if (!allowed_name(name, 128)) {
      return refuse(where + ".custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'");
    }
    const bj::object* schema = object_member(*tool, "input_schema");
    if (schema == nullptr) return refuse(where + ".custom.input_schema: Field required");
    if (text_member(*schema, "type") != "object") {
      return refuse(where + ".custom.input_schema.type: Input should be 'object'");
    }
    ask.tools.push_back({std::string(name), bj::serialize(*schema)});
  }
  const bj::object* choice = object_member(body, "tool_choice");
  if (choice == nullptr) return {};
  if (ask.tools.empty() && text_member(*choice, "type") != "none") {
    return refuse("tool_choice: may only be specified while providing tools");
  }
  ask.forced_tool = text_member(*choice, "name");
  return {};
}

// Goes through the conversation and keeps what one turn must know of the one before.
class Turns {
 public:
  Turns(const bj::object& body, bool new_version, Ask& ask) : ask_(ask), new_version_(new_version) {
    const bj::object* thinking = object_member(body, "thinking");
    const std::string_view type = thinking == nullptr ? "" : text_member(*thinking, "type");
    thinks_ = type == "enabled" || type == "adaptive";
  }

  Result<void> read(const bj::array& messages) {
    if (messages.empty()) return refuse("messages: at least one message is required");
    for (size_t i = 0; i < messages.size(); ++i) {
      index_ = i;
      last_ = i + 1 == messages.size();
      if (!messages[i].is_object()) return refuse(at(i) + ": Input should be an object");
      DP_CHECK(turn(messages[i].get_object()));
    }
    if (!open_calls_.empty()) return unanswered();
    return unthought_.empty() ? Result<void>{} : refuse(unthought_);
  }

 private:
  Result<void> turn(const bj::object& message) {
    role_ = text_member(message, "role");
    if (role_ == "system" && new_version_) return content(message);
    if (role_ != "user" && role_ != "assistant") {
      return refuse(at(index_) + ".role: Input should be 'user' or 'assistant'");
    }
    if (index_ == 0 && role_ != "user") {
      return refuse("messages: first message must use the \"user\" role");
    }
    if (role_ == previous_role_) {
      return refuse(
          "messages: roles must alternate between \"user\" and \"assistant\", but found "
          "multiple \"" +
          std::string(role_) + "\" roles in a row");
    }
    previous_role_ = role_;
    return content(message);
  }

  Result<void> content(const bj::object& message) {
    const bj::value* content = member(message, "content");
    if (content == nullptr) return refuse(at(index_) + ".content: Field required");
    const bool empty = content->is_string()  ? text_of(*content).empty()
                       : content->is_array() ? content->get_array().empty()
                                             : true;
    if (empty && !(last_ && role_ == "assistant")) {
      return refuse(at(index_) +
                    ": all messages must have non-empty content except for the "
                    "optional final assistant message");
    }
    if (content->is_string() && !open_calls_.empty() && role_ == "user") return unanswered();
    if (role_ == "user") ask_.has_tool_result = false;
    if (content->is_string()) {
      take_text(text_of(*content), ask_);
      unthought_.clear();
    } else if (content->is_array()) {
      DP_CHECK(blocks(content->get_array()));
    }
    return role_ == "assistant" && last_ ? prefill() : Result<void>{};
  }

  Result<void> prefill() {
    if (!ask_.last_text.empty() &&
        has(" \n\t\r", ask_.last_text.substr(ask_.last_text.size() - 1))) {
      return refuse("messages: final assistant content cannot end with trailing whitespace");
    }
    ask_.answered = ask_.last_text;
    return {};
  }

  Result<void> blocks(const bj::array& content) {
    std::set<std::string> calls = std::move(open_calls_);
    open_calls_.clear();
    bool other_seen = false;
    for (size_t i = 0; i < content.size(); ++i) {
      const bj::object* block = content[i].if_object();
      if (block == nullptr) return refuse(at(index_, i) + ": Input should be an object");
      const std::string_view type = text_member(*block, "type");
      if (type == "tool_result") {
        DP_CHECK(tool_result(*block, i, calls));
        if (other_seen) open_calls_.insert(std::string(text_member(*block, "tool_use_id")));
        continue;
      }
      other_seen = true;
      DP_CHECK(block_of(type, *block, i));
    }
    if (role_ == "user") open_calls_.merge(calls);
    if (role_ == "user" && !open_calls_.empty()) return unanswered();
    if (role_ == "user" && !ask_.has_tool_result) unthought_.clear();
    if (role_ == "assistant") note_thought_first(content);
    return {};
  }

  Result<void> block_of(std::string_view type, const bj::object& block, size_t i) {
    if (type == "text") {
      const std::string_view text = text_member(block, "text");
      if (text.empty()) return refuse("messages: text content blocks must be non-empty");
      take_text(text, ask_);
      return {};
    }
    if (type == "image") return image(block, i);
    if (type == "document") return {};
    if (type == "thinking" && role_ == "assistant") return thinking(block, i);
    if (type == "redacted_thinking" && role_ == "assistant") {
      if (text_member(block, "data") == signature_of("redacted")) return {};
      return refuse(at(index_, i) + ": Invalid `data` in `redacted_thinking` block");
    }
    if (type == "tool_use" && role_ == "assistant") return tool_use(block, i);
    return refuse(at(index_, i) + ": Input tag '" + std::string(type) +
                  "' found using 'type' does not match any of the expected tags");
  }

  Result<void> image(const bj::object& block, size_t i) {
    const bj::object* source = object_member(block, "source");
    const std::string_view type = source == nullptr ? "" : text_member(*source, "type");
    const std::string_view media = source == nullptr ? "" : text_member(*source, "media_type");
    const bool known = media == "image/jpeg" || media == "image/png" || media == "image/gif" ||
                       media == "image/webp";
    const bool base64 = type == "base64" && known && !text_member(*source, "data").empty();
    const bool url = type == "url" && text_member(*source, "url").starts_with("http");
    if (!base64 && !url) return refuse(at(index_, i) + ".image.source: Input should be valid");
    ++ask_.images;
    return {};
  }

  Result<void> thinking(const bj::object& block, size_t i) {
    if (text_member(block, "signature") != signature_of(text_member(block, "thinking"))) {
      return refuse(at(index_, i) + ": Invalid `signature` in `thinking` block");
    }
    return {};
  }

  Result<void> tool_use(const bj::object& block, size_t i) {
    const std::string_view id = text_member(block, "id");
    if (!allowed_name(id, 256)) {
      return refuse(at(index_, i) + ".tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'");
    }
    if (object_member(block, "input") == nullptr) {
      return refuse(at(index_, i) + ".tool_use.input: Input should be a valid dictionary");
    }
    if (!open_calls_.insert(std::string(id)).second) {
      return refuse("messages: `tool_use` ids must be unique");
    }
    return {};
  }

  Result<void> tool_result(const bj::object& block, size_t i, std::set<std::string>& calls) {
    const std::string id(text_member(block, "tool_use_id"));
    if (role_ != "user" || calls.erase(id) == 0) {
      return refuse(at(index_, i) +
                    ": unexpected `tool_use_id` found in `tool_result` blocks: " + id +
                    ". Each `tool_result` block must have a corresponding `tool_use` block in "
                    "the previous message.");
    }
    ask_.has_tool_result = true;
    const bj::value* content = member(block, "content");
    if (content != nullptr && content->is_string()) take_text(text_of(*content), ask_);
    const bj::array* parts = array_member(block, "content");
    for (size_t p = 0; parts != nullptr && p < parts->size(); ++p) {
      const bj::object* part = (*parts)[p].if_object();
      if (part == nullptr) continue;
      DP_CHECK(block_of(text_member(*part, "type"), *part, i));
    }
    return {};
  }

  // With thinking on, the last turn that called tools has to begin with what was thought.
  void note_thought_first(const bj::array& content) {
    unthought_.clear();
    if (!thinks_ || open_calls_.empty()) return;
    const std::string_view first = text_member(content.front().get_object(), "type");
    if (first.ends_with("thinking")) return;
    unthought_ = at(index_, 0) + ".type: Expected `thinking` or `redacted_thinking`, but found `" +
                 std::string(first) +
                 "`. When `thinking` is enabled, a final `assistant` message "
                 "must start with a thinking block";
  }

  Error unanswered() const {
    std::string ids;
    for (const std::string& id : open_calls_) ids += (ids.empty() ? "" : ", ") + id;
    return refuse(at(index_) +
                  ": `tool_use` ids were found without `tool_result` blocks "
                  "immediately after: " +
                  ids +
                  ". Each `tool_use` block must have a corresponding `tool_result` block in the "
                  "next message.");
  }

  Ask& ask_;
  const bool new_version_;
  bool thinks_ = false;
  size_t index_ = 0;
  bool last_ = false;
  std::string_view role_;
  std::string_view previous_role_;
  std::string unthought_;             // what is wrong with the last turn that called tools
  std::set<std::string> open_calls_;  // of the assistant's turn before, not answered yet
};

Result<void> read_system(const bj::object& body, Ask& ask) {
  const bj::value* system = member(body, "system");
  if (system == nullptr) return {};
  if (system->is_string()) take_text(text_of(*system), ask);
  const bj::array* blocks = system->if_array();
  for (size_t i = 0; blocks != nullptr && i < blocks->size(); ++i) {
    const bj::object* block = (*blocks)[i].if_object();
    const std::string_view text = block == nullptr ? "" : text_member(*block, "text");
    if (text.empty()) return refuse("system: text content blocks must be non-empty");
    take_text(text, ask);
  }
  return {};
}

void read_format(const bj::object& body, Ask& ask) {
  const bj::object* config = object_member(body, "output_config");
  const bj::object* format = config == nullptr ? nullptr : object_member(*config, "format");
  if (format == nullptr) return;
  ask.wants_json = true;
  if (const bj::value* schema = member(*format, "schema")) ask.schema = bj::serialize(*schema);
}

}  // namespace

Result<void> read_anthropic(const http::RequestHead& head, const bj::object& body, Ask& ask) {
  DP_TRY(const std::string_view version, read_headers(head));
  const bool new_version = version == kNewVersion;
  DP_CHECK(check_fields(body, new_version));
  ask.model = text_member(body, "model");
  ask.stream = is_true(body, "stream");
  ask.include_usage = true;
  ask.max_tokens = whole_member(body, "max_tokens");
  if (ask.route == Route::chat) {
    if (member(body, "max_tokens") == nullptr) return refuse("max_tokens: Field required");
    if (ask.max_tokens < 1) {
      return refuse("max_tokens: Input should be greater than or equal to 1");
    }
    DP_CHECK(check_thinking(body, ask));
  }
  DP_CHECK(check_sampling(body));
  DP_CHECK(read_tools(body, ask));
  read_format(body, ask);
  DP_CHECK(read_system(body, ask));
  const bj::array* messages = array_member(body, "messages");
  if (messages == nullptr) return refuse("messages: Input should be a valid list");
  return Turns(body, new_version, ask).read(*messages);
}

}  // namespace deeppool::mock
