#include "provider/anthropic/schema.h"

#include <algorithm>
#include <array>

#include "json/reader.h"
#include "llm/openai/patch.h"

namespace deeppool::provider::anthropic {

using json::Kind;

namespace {

// Source: platform.claude.com, "Structured outputs", JSON schema limitations (2026-11-15).
constexpr std::array<std::string_view, 12> kRefused = {
    "minimum",    "maximum",     "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength",   "maxLength",        "minItems",
    "maxItems",   "uniqueItems", "minProperties",    "maxProperties"};
// Their members are named by the caller; each is a schema.
constexpr std::array<std::string_view, 4> kMaps = {"properties", "$defs", "definitions",
                                                   "patternProperties"};
// No schemas inside.
constexpr std::array<std::string_view, 5> kPlain = {"enum", "const", "default", "examples",
                                                    "required"};

template <size_t N>
bool is_one_of(std::string_view key, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

class Closer {
 public:
  Closer(std::string_view schema, std::string& out) : reader_(schema), patch_(schema, out) {}

  void run() {
    close_value();
    patch_.finish();
  }

 private:
  void close_value() {
    const Kind kind = reader_.peek();
    if (kind == Kind::object) {
      close_schema();
    } else if (kind == Kind::array) {
      for (json::Elements elements(reader_); elements.next();) close_value();
    } else {
      reader_.skip();
    }
  }

  void close_map() {
    if (reader_.peek() != Kind::object) {
      reader_.skip();
      return;
    }
    for (json::Members members(reader_); members.next();) close_value();
  }

  void close_schema() {
    llm::MemberPatch edit(patch_, reader_.position());
    bool object = false;
    json::Members members(reader_);
    while (members.next()) {
      const std::string_view key = members.key();
      reader_.peek();
      if (is_one_of(key, kRefused) || key == "additionalProperties") {
        reader_.skip();
        edit.remove_until(reader_.position());
        continue;
      }
      edit.keep(members);
      if (is_one_of(key, kMaps)) {
        object = object || key == "properties";
        close_map();
      } else if (is_one_of(key, kPlain)) {
        reader_.skip();
      } else if (key == "type" && reader_.peek() == Kind::string) {
        object = reader_.text(reader_.read_string()) == "object" || object;
      } else {
        close_value();
      }
      edit.kept_until(reader_.position());
    }
    if (object) edit.add(members.close(), R"("additionalProperties":false)");
  }

  json::Reader reader_;
  llm::Patch patch_;
};

}  // namespace

std::string closed_schema(std::string_view schema) {
  std::string out;
  Closer(schema, out).run();
  return out;
}

}  // namespace deeppool::provider::anthropic
