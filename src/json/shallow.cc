#include "json/shallow.h"

namespace deeppool::json {

Kind Value::kind() const {
  if (text.empty()) return Kind::none;
  switch (text.front()) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    default:
      return Kind::number;
  }
}

std::string Value::string() const {
  std::string out;
  append_unescaped(out, raw());
  return out;
}

ShallowObject::ShallowObject(Reader& reader) {
  read(reader);
}

ShallowObject::ShallowObject(Value object) {
  Reader reader(object.text);
  read(reader);
}

void ShallowObject::read(Reader& reader) {
  for (Members members(reader); members.next();) {
    // Decoded names lie in the reader's scratch; others in the text, where they stay.
    std::string_view name = members.key();
    const std::string_view spelt = reader.text(Range{members.key_begin() + 1, reader.position()});
    if (name.data() != spelt.data()) name = escaped_names_.emplace_front(name);
    members_.push_back({name, {reader.text(reader.skip())}});
  }
  if (!reader.ok()) members_.clear();
}

Value ShallowObject::operator[](std::string_view name) const {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->name == name) return member->value;
  }
  return {};
}

std::vector<Value> elements_of(Value array) {
  std::vector<Value> values;
  Reader reader(array.text);
  for (Elements elements(reader); elements.next();) {
    values.push_back({reader.text(reader.skip())});
  }
  return values;
}

}  // namespace deeppool::json
