// Shallow views: one level of a JSON text that is known to be valid, its values as texts that can
// be looked into in turn. For requests that are put into other words, whose members come in any
// order. Value objects that refer to the text; they allocate per object, so nothing on the path of
// a stream uses them. Invariant: kPadding readable bytes lie behind every text.
#pragma once

#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

#include "json/reader.h"

namespace deeppool::json {

// One value, without white space around it. Empty: there is none.
struct Value {
  std::string_view text;

  explicit operator bool() const { return !text.empty(); }
  Kind kind() const;
  bool is(Kind k) const { return kind() == k; }
  // Absent or null, which callers use alike.
  bool unset() const { return text.empty() || is(Kind::null); }
  // Of a string: between its quotes, escapes as written; and decoded.
  std::string_view raw() const { return text.substr(1, text.size() - 2); }
  std::string string() const;
};

class ShallowObject {
 public:
  struct Member {
    std::string_view name;
    Value value;
  };

  ShallowObject() = default;
  // Consumes the object that comes next in `reader`, validating all of it; empty if the reader
  // fails.
  explicit ShallowObject(Reader& reader);
  // Of an object that is known to be valid.
  explicit ShallowObject(Value object);

  // The last one of that name, as with every JSON parser.
  Value operator[](std::string_view name) const;
  auto begin() const { return members_.begin(); }
  auto end() const { return members_.end(); }

 private:
  void read(Reader& reader);

  std::vector<Member> members_;
  std::forward_list<std::string> escaped_names_;
};

// Of an array that is known to be valid.
std::vector<Value> elements_of(Value array);

}  // namespace deeppool::json
