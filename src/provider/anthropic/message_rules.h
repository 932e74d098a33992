// What Anthropic refuses in a request's conversation, as a judge for tests and fuzz targets.
#pragma once

#include <boost/json.hpp>
#include <set>
#include <string>
#include <string_view>

namespace deeppool::provider::anthropic {

inline bool is_blank_text(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\b") == std::string_view::npos;
}

// The rule that a request breaks; empty: none. `body` is what make_request() wrote, parsed.
class MessageRules {
 public:
  static std::string broken_by(const boost::json::object& body) {
    return MessageRules().check(body);
  }

 private:
  using Object = boost::json::object;

  std::string check(const Object& body) {
    if (body.at("max_tokens").to_number<int64_t>() < 1) return "max_tokens";
    const auto& messages = body.at("messages").as_array();
    if (messages.empty()) return "no messages";
    for (const auto& value : messages) {
      const Object& message = value.as_object();
      const std::string role(message.at("role").as_string());
      if (role == previous_) return "neighbours of one role";
      if (previous_.empty() && role != "user") return "the first turn is not the user's";
      if (std::string rule = check_turn(role, message.at("content").as_array()); !rule.empty()) {
        return rule;
      }
      previous_ = role;
    }
    if (!open_.empty()) return "calls without results at the end";
    if (previous_ == "system") return "the last turn is a system's";
    if (calls_ && !body.contains("tools")) return "calls without tools";
    return last_text_ends_blank_ && previous_ == "assistant" ? "white space at the end" : "";
  }

  std::string check_turn(const std::string& role, const boost::json::array& blocks) {
    if (blocks.empty()) return "an empty turn";
    std::set<std::string> wanted = std::move(open_);
    open_.clear();
    bool only_results = true;
    for (const auto& value : blocks) {
      const Object& block = value.as_object();
      const std::string_view type = block.at("type").as_string();
      last_text_ends_blank_ = false;
      if (type == "tool_result") {
        if (!only_results || role != "user") return "a result behind other blocks";
        if (wanted.erase(std::string(block.at("tool_use_id").as_string())) == 0) {
          return "a result that nothing asked for";
        }
        continue;
      }
      only_results = false;
      if (type == "tool_use") {
        calls_ = true;
        const std::string id(block.at("id").as_string());
        if (id.empty() || id.find_first_not_of(kAlphabet) != std::string::npos) return "bad id";
        if (!ids_.insert(id).second) return "an id twice";
        if (!block.at("input").is_object()) return "input is no object";
        open_.insert(id);
      } else if (type == "text") {
        const std::string_view text = block.at("text").as_string();
        if (is_blank_text(text)) return "a blank text";
        last_text_ends_blank_ = is_blank_text(text.substr(text.size() - 1));
      } else if (type == "thinking" && block.at("signature").as_string().empty()) {
        return "an unsigned thought";
      }
    }
    return wanted.empty() ? "" : "calls without results";
  }

  static constexpr const char* kAlphabet =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  std::string previous_;
  std::set<std::string> open_;
  std::set<std::string> ids_;
  bool calls_ = false;
  bool last_text_ends_blank_ = false;
};

}  // namespace deeppool::provider::anthropic
