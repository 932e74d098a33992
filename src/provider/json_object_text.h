// ObjectText: the text of a JSON object that is put together member by member, where a later
// word about a member takes the place of an earlier one. For requests that are said anew in a
// vendor's dialect; lives on the stack of one translation.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace deeppool::provider {

class ObjectText {
 public:
  // `value`: valid JSON.
  void set(std::string_view name, std::string value) {
    for (auto& [known, text] : members_) {
      if (known == name) {
        text = std::move(value);
        return;
      }
    }
    members_.emplace_back(name, std::move(value));
  }
  void set(std::string_view name, std::string_view value) { set(name, std::string(value)); }
  void set(std::string_view name, const char* value) { set(name, std::string(value)); }
  void set_string(std::string_view name, std::string_view text) {
    std::string value;
    base::append_json_string(value, text);
    set(name, std::move(value));
  }
  void set_int(std::string_view name, int64_t number) {
    std::string value;
    base::append_int(value, number);
    set(name, std::move(value));
  }
  // Null: there is none.
  const std::string* find(std::string_view name) const {
    for (const auto& [known, text] : members_) {
      if (known == name) return &text;
    }
    return nullptr;
  }
  bool empty() const { return members_.empty(); }

  void append_to(std::string& out) const {
    out += '{';
    for (size_t i = 0; i < members_.size(); ++i) {
      if (i > 0) out += ',';
      base::append_json_string(out, members_[i].first);
      out += ':';
      out += members_[i].second;
    }
    out += '}';
  }
  std::string text() const {
    std::string out;
    append_to(out);
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

}  // namespace deeppool::provider
