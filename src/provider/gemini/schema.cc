#include "provider/gemini/schema.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "json/reader.h"
#include "provider/gemini/limits.h"
#include "provider/json_object_text.h"

namespace deeppool::provider::gemini {
namespace {

using json::Kind;
using json::Reader;

// Taken as they stand.
constexpr std::string_view kPlain[] = {"description",   "minItems",  "maxItems",      "minimum",
                                       "maximum",       "minLength", "maxLength",     "pattern",
                                       "minProperties", "default",   "maxProperties", "example"};

bool is_one_of(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

void append_element(std::string& list, std::string_view element) {
  if (!list.empty()) list += ',';
  list += element;
}

std::string in_brackets(std::string_view list) {
  return "[" + std::string(list) + "]";
}

// What was found in one schema and in those that it is all of.
struct Node {
  std::vector<std::string> types;
  bool nullable = false;
  ObjectText plain;
  ObjectText properties;
  std::vector<std::string> required;
  std::string format;
  std::string items;  // a schema
  std::string any;    // schemas, joined by commas
  int any_count = 0;
  std::string strings;  // of enum, joined by commas
};

class Converter {
 public:
  explicit Converter(std::string_view root) : root_(root) {}

  std::string convert(std::string_view schema);
  bool grew_too_large() const { return too_large_; }

 private:
  void read(std::string_view schema, Node& node);
  void read_members(Reader& reader, Node& node);
  void read_keyword(std::string_view key, Reader& reader, Node& node);
  void read_type(Reader& reader, Node& node);
  void read_constant(Reader& reader, Node& node);
  void read_properties(Reader& reader, Node& node);
  void read_required(Reader& reader, Node& node);
  void read_items(Reader& reader, Node& node);
  void read_alternatives(Reader& reader, Node& node);
  void read_reference(Reader& reader, Node& node);
  std::string_view find_reference(std::string_view pointer) const;
  std::string write(Node node);
  void write_typed(std::string_view type, Node& node, ObjectText& out);

  std::string_view root_;
  std::vector<const char*> open_;  // the references that are being inlined
  int depth_ = 0;
  size_t written_ = 0;
  bool too_large_ = false;
};

std::string Converter::convert(std::string_view schema) {
  Node node;
  read(schema, node);
  std::string text = write(std::move(node));
  written_ += text.size();
  too_large_ = too_large_ || written_ > kMaxSchemaBytes;
  return text;
}

void Converter::read(std::string_view schema, Node& node) {
  Reader reader(schema);
  if (too_large_ || depth_ == kMaxSchemaDepth || reader.peek() != Kind::object) return;
  ++depth_;
  read_members(reader, node);
  --depth_;
}

void Converter::read_members(Reader& reader, Node& node) {
  for (json::Members members(reader); members.next();) {
    const std::string key(members.key());
    reader.peek();
    read_keyword(key, reader, node);
  }
}

void Converter::read_keyword(std::string_view key, Reader& reader, Node& node) {
  const Kind kind = reader.peek();
  if (key == "type") {
    read_type(reader, node);
  } else if (key == "nullable") {
    node.nullable = reader.text(reader.skip()) == "true" || node.nullable;
  } else if (key == "enum" && kind == Kind::array) {
    for (json::Elements values(reader); values.next();) read_constant(reader, node);
  } else if (key == "const") {
    read_constant(reader, node);
  } else if (key == "properties" && kind == Kind::object) {
    read_properties(reader, node);
  } else if (key == "required" && kind == Kind::array) {
    read_required(reader, node);
  } else if (key == "items" || key == "prefixItems") {
    read_items(reader, node);
  } else if ((key == "anyOf" || key == "oneOf") && kind == Kind::array) {
    read_alternatives(reader, node);
  } else if (key == "allOf" && kind == Kind::array) {
    for (json::Elements parts(reader); parts.next();) {
      reader.peek();
      read(reader.text(reader.skip()), node);
    }
  } else if (key == "$ref" && kind == Kind::string) {
    read_reference(reader, node);
  } else if (key == "format" && kind == Kind::string) {
    node.format = reader.text(reader.read_string());
  } else if (is_one_of(kPlain, key) && kind != Kind::null) {
    node.plain.set(key, reader.text(reader.skip()));
  } else {
    reader.skip();
  }
}

void Converter::read_type(Reader& reader, Node& node) {
  const auto take = [&] {
    if (reader.peek() != Kind::string) {
      reader.skip();
      return;
    }
    std::string type(reader.text(reader.read_string()));
    std::ranges::transform(type, type.begin(), base::lower);
    if (type == "null") {
      node.nullable = true;
    } else if (std::ranges::find(node.types, type) == node.types.end()) {
      node.types.push_back(std::move(type));
    }
  };
  if (reader.peek() != Kind::array) return take();
  for (json::Elements types(reader); types.next();) take();
}

// Gemini's enum knows strings only.
void Converter::read_constant(Reader& reader, Node& node) {
  const Kind kind = reader.peek();
  const std::string_view value = reader.text(reader.skip());
  if (kind == Kind::null) node.nullable = true;
  if (kind == Kind::string && value.size() > 2) append_element(node.strings, value);
}

void Converter::read_properties(Reader& reader, Node& node) {
  for (json::Members members(reader); members.next();) {
    const std::string name(members.key());
    reader.peek();
    node.properties.set(name, convert(reader.text(reader.skip())));
  }
}

void Converter::read_required(Reader& reader, Node& node) {
  std::string scratch;
  for (json::Elements names(reader); names.next();) {
    if (reader.peek() == Kind::string) {
      node.required.emplace_back(reader.decode(reader.read_string(), scratch));
    } else {
      reader.skip();
    }
  }
}

// Of a tuple, its elements' schemas as alternatives.
void Converter::read_items(Reader& reader, Node& node) {
  if (reader.peek() == Kind::object) {
    node.items = convert(reader.text(reader.skip()));
    return;
  }
  if (reader.peek() != Kind::array) {
    reader.skip();
    return;
  }
  std::string alternatives;
  int count = 0;
  for (json::Elements elements(reader); elements.next(); ++count) {
    reader.peek();
    append_element(alternatives, convert(reader.text(reader.skip())));
  }
  if (count == 1) node.items = alternatives;
  if (count > 1) node.items = R"({"anyOf":)" + in_brackets(alternatives) + "}";
}

void Converter::read_alternatives(Reader& reader, Node& node) {
  for (json::Elements parts(reader); parts.next();) {
    reader.peek();
    Node part;
    read(reader.text(reader.skip()), part);
    const bool only_null = part.nullable && part.types.empty() && part.any.empty() &&
                           part.strings.empty() && part.properties.empty() && part.plain.empty();
    node.nullable = node.nullable || part.nullable;
    if (only_null) continue;
    part.nullable = false;
    append_element(node.any, write(std::move(part)));
    ++node.any_count;
  }
}

void Converter::read_reference(Reader& reader, Node& node) {
  std::string scratch;
  const std::string_view target = find_reference(reader.decode(reader.read_string(), scratch));
  // One that is inside itself ends there, as an object of any kind.
  if (target.empty() || std::ranges::find(open_, target.data()) != open_.end()) return;
  open_.push_back(target.data());
  read(target, node);
  open_.pop_back();
}

// A pointer within the schema: "#/$defs/Name". Empty: there is none.
std::string_view Converter::find_reference(std::string_view pointer) const {
  if (pointer == "#") return root_;
  if (!pointer.starts_with("#/")) return {};
  std::string_view at = root_;
  for (std::string_view step : base::split(pointer.substr(2), '/')) {
    Reader reader(at);
    if (reader.peek() != Kind::object) return {};
    std::string_view found;
    for (json::Members members(reader); members.next();) {
      const bool match = members.key() == step;
      reader.peek();
      const std::string_view value = reader.text(reader.skip());
      if (match) found = value;
    }
    if (found.empty()) return {};
    at = found;
  }
  return at;
}

bool knows_format(std::string_view type, std::string_view format) {
  if (type == "string") return format == "date-time" || format == "enum";
  if (type == "integer") return format == "int32" || format == "int64";
  return type == "number" && (format == "float" || format == "double");
}

void Converter::write_typed(std::string_view type, Node& node, ObjectText& out) {
  out.set_string("type", type);
  if (knows_format(type, node.format)) out.set_string("format", node.format);
  if (type == "string" && !node.strings.empty()) out.set("enum", in_brackets(node.strings));
  if (type == "array") {
    // It must say what it holds.
    out.set("items", node.items.empty() ? R"({"type":"string"})" : node.items);
  }
  if (type != "object" || node.properties.empty()) return;
  out.set("properties", node.properties.text());
  std::string required;
  for (const std::string& name : node.required) {
    if (node.properties.find(name) == nullptr) continue;
    std::string quoted;
    base::append_json_string(quoted, name);
    append_element(required, quoted);
  }
  if (!required.empty()) out.set("required", in_brackets(required));
}

std::string Converter::write(Node node) {
  if (node.types.empty() && node.any.empty()) {
    const bool lists = !node.items.empty();
    const bool text = !node.strings.empty() || node.plain.find("pattern") != nullptr;
    node.types.emplace_back(lists ? "array" : text ? "string" : "object");
  }
  ObjectText out = std::move(node.plain);
  if (node.nullable) out.set("nullable", "true");
  if (!node.any.empty() && node.any_count == 1 && out.empty()) return node.any;
  if (!node.any.empty()) {
    // A single alternative with a description of its own stays one: both are read.
    out.set("anyOf", in_brackets(node.any));
    return out.text();
  }
  if (node.types.size() == 1) {
    write_typed(node.types.front(), node, out);
    return out.text();
  }
  std::string alternatives;
  for (const std::string& type : node.types) {
    ObjectText one;
    write_typed(type, node, one);
    append_element(alternatives, one.text());
  }
  out.set("anyOf", in_brackets(alternatives));
  return out.text();
}

}  // namespace

Result<std::string> openapi_schema(std::string_view schema, std::string_view param) {
  Converter converter(schema);
  std::string text = converter.convert(schema);
  if (converter.grew_too_large()) {
    return Error::invalid(std::string(param),
                          "The schema is too large for this model's provider, which reads no "
                          "references.");
  }
  if (text == R"({"type":"object"})") text.clear();
  return text;
}

}  // namespace deeppool::provider::gemini
