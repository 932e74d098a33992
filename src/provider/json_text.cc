#include "provider/json_text.h"

#include "json/padded.h"

namespace deeppool::provider {

using json::Kind;
using json::Reader;

Kind kind_of(JsonText value) {
  return Reader(value).peek();
}

std::string decoded(JsonText value) {
  std::string text;
  if (is_string(value)) json::append_unescaped(text, raw_of(value));
  return text;
}

JsonText take(Reader& reader) {
  reader.peek();
  return reader.text(reader.skip());
}

JsonText member(JsonText object, std::string_view name) {
  if (!is_object(object)) return {};
  Reader reader(object);
  JsonText found;
  for (json::Members members(reader); members.next();) {
    const bool match = members.key() == name;
    const JsonText value = take(reader);
    if (match) found = value;
  }
  return found;
}

std::string object_in(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text[begin] != '{') return {};
  const json::PaddedBytes padded(text);
  Reader reader(padded.view());
  reader.skip();
  return reader.finish() ? std::string(text) : std::string();
}

std::string argument_object(JsonText value) {
  const std::string text = decoded(value);
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "{}";
  std::string object = object_in(text);
  if (!object.empty()) return object;
  return R"({"arguments":)" + std::string(value) + "}";
}

}  // namespace deeppool::provider
