// JsonOut: writes one JSON text to the end of a string, with the commas where they belong. For
// texts that are made anew; what is only changed is patched (openai/patch.h). Lives on the stack of
// one writing.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"

namespace deeppool::llm {

class JsonOut {
 public:
  explicit JsonOut(std::string& out) : out_(out), begin_(out.size()) {}

  void object() { open('{'); }
  void end_object() { out_ += '}'; }
  void array() { open('['); }
  void end_array() { out_ += ']'; }
  // `name` needs no escapes.
  void key(std::string_view name) {
    separate();
    ((out_ += '"') += name) += "\":";
  }
  // Any name.
  void foreign_key(std::string_view name) {
    string(name);
    out_ += ':';
  }
  // A value that is JSON already.
  void json(std::string_view text) {
    separate();
    out_ += text;
  }
  // A string by its text between the quotes, escapes as written.
  void raw(std::string_view escaped) {
    separate();
    ((out_ += '"') += escaped) += '"';
  }
  void string(std::string_view utf8) {
    separate();
    base::append_json_string(out_, utf8);
  }
  void number(int64_t value) {
    separate();
    base::append_int(out_, value);
  }

  void json(std::string_view name, std::string_view text) { key(name), json(text); }
  void raw(std::string_view name, std::string_view escaped) { key(name), raw(escaped); }
  void string(std::string_view name, std::string_view utf8) { key(name), string(utf8); }
  void number(std::string_view name, int64_t value) { key(name), number(value); }

 private:
  void open(char bracket) {
    separate();
    out_ += bracket;
  }
  // No value ends with one of these characters.
  void separate() {
    if (out_.size() == begin_) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':') out_ += ',';
  }

  std::string& out_;
  size_t begin_;
};

}  // namespace deeppool::llm
