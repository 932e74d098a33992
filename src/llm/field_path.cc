#include "llm/field_path.h"

#include "json/number.h"

namespace deeppool::llm {

using json::Kind;

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::object:
      return "an object";
    case Kind::array:
      return "an array";
    case Kind::string:
      return "a string";
    case Kind::number:
      return "a number";
    case Kind::boolean:
      return "a boolean";
    case Kind::null:
      return "null";
    case Kind::none:
      break;
  }
  return "nothing";
}

FieldPath::Step::Step(FieldPath& path, std::string_view member)
    : path_(path), length_(path.path_.size()) {
  if (!path_.path_.empty()) path_.path_ += '.';
  path_.path_ += member;
}

FieldPath::Step::Step(FieldPath& path, size_t index) : path_(path), length_(path.path_.size()) {
  path_.path_ += '[';
  base::append_int(path_.path_, index);
  path_.path_ += ']';
}

bool FieldPath::refuse(std::string_view what) {
  if (error_) return false;
  error_ = Error::invalid(path_, "Invalid value for '" + path_ + "': " + std::string(what) + ".");
  return false;
}

bool FieldPath::refuse(std::string_view member, std::string_view what) {
  const Step at(*this, member);
  return refuse(what);
}

bool FieldPath::expect(json::Value value, Kind kind) {
  if (value.is(kind)) return true;
  if (!value) return refuse("the field is required");
  return refuse("expected " + std::string(name_of(kind)) + ", got " +
                std::string(name_of(value.kind())));
}

bool FieldPath::expect(std::string_view member, json::Value value, Kind kind) {
  const Step at(*this, member);
  return expect(value, kind);
}

std::optional<int64_t> FieldPath::expect_count(json::Value value, int64_t most) {
  if (!expect(value, Kind::number)) return std::nullopt;
  const std::optional<int64_t> number = json::to_integer(value.text);
  if (number && *number >= 1 && *number <= most) return number;
  refuse("expected an integer from 1 to " + std::to_string(most));
  return std::nullopt;
}

Result<json::ShallowObject> read_body(const json::PaddedBytes& body) {
  json::Reader reader(body.view());
  json::ShallowObject object(reader);
  if (reader.finish()) return object;
  return Error(ErrorCode::invalid_request,
               "The request body is not valid JSON: " + std::string(reader.error_reason()) +
                   " at byte " + std::to_string(reader.error_position()) + ".");
}

}  // namespace deeppool::llm
