#include "json/string_list.h"

#include <boost/json/parse.hpp>

#include "base/text.h"

namespace deeppool::json {
namespace {

Error not_a_list() {
  return Error(ErrorCode::internal, "Something went wrong on our side.",
               "a stored list is not a JSON list of strings");
}

}  // namespace

Result<std::vector<std::string>> parse_string_list(std::string_view text) {
  std::vector<std::string> list;
  if (text == "[]") return list;
  boost::system::error_code failed;
  const boost::json::value value = boost::json::parse(text, failed);
  if (failed || !value.is_array()) return not_a_list();
  for (const boost::json::value& item : value.get_array()) {
    if (!item.is_string()) return not_a_list();
    list.emplace_back(item.get_string());
  }
  return list;
}

std::string write_string_list(std::span<const std::string> list) {
  std::string out = "[";
  for (const std::string& item : list) {
    if (out.size() > 1) out += ',';
    base::append_json_string(out, item);
  }
  return out += ']';
}

}  // namespace deeppool::json
