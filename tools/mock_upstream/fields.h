// Reading members of JSON objects whose shape is the peer's affair: what is missing or of another
// type is the empty value. Pure functions.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace deeppool::mock {

namespace bj = boost::json;

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline std::string_view text_of(const bj::value& v) {
  return v.is_string() ? std::string_view(v.get_string()) : std::string_view();
}
// Null if the object has no such member, or null there.
inline const bj::value* member(const bj::object& object, std::string_view name) {
  const bj::value* v = object.if_contains(name);
  return v != nullptr && v->is_null() ? nullptr : v;
}
inline std::string_view text_member(const bj::object& object, std::string_view name) {
  const bj::value* v = member(object, name);
  return v == nullptr ? std::string_view() : text_of(*v);
}
inline bool is_true(const bj::object& object, std::string_view name) {
  const bj::value* v = member(object, name);
  return v != nullptr && v->is_bool() && v->get_bool();
}
// -1 if it is no whole number.
inline int64_t whole_member(const bj::object& object, std::string_view name) {
  const bj::value* v = member(object, name);
  return v != nullptr && v->is_int64() ? v->get_int64() : -1;
}
// Null if it is no array, no object.
inline const bj::array* array_member(const bj::object& object, std::string_view name) {
  const bj::value* v = member(object, name);
  return v == nullptr ? nullptr : v->if_array();
}
inline const bj::object* object_member(const bj::object& object, std::string_view name) {
  const bj::value* v = member(object, name);
  return v == nullptr ? nullptr : v->if_object();
}

}  // namespace deeppool::mock
