// Fields: a request body read field by field, in straight lines:
//   Fields body(request.body);
//   const std::string name = body.required_text("name", {.min = 1, .max = 64});
//   const auto rpm = body.integer("rate_limit_rpm", {.min = 0, .max = kMaxRate});
//   DP_CHECK(body.finish());
// The first thing that is wrong is kept and returned by finish(), naming the field and what was
// expected; so is a field that nobody asked for, which is how unknown fields are refused.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/money.h"

namespace deeppool::webapi {

struct TextRule {
  size_t min = 0;  // bytes; from 1 on, spaces alone are refused
  size_t max = 255;
};
struct IntegerRule {
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
};
struct MoneyRule {
  base::Money min;
  base::Money max;
};
struct ListRule {
  size_t min = 0;  // items
  size_t max = 100;
  TextRule item = {.min = 1, .max = 255};
};

class Fields {
 public:
  // `body` outlives this.
  explicit Fields(std::string_view body);

  // Without control characters. A field that is absent, or wrong, is nothing.
  std::optional<std::string> text(std::string_view name, TextRule rule);
  std::string required_text(std::string_view name, TextRule rule);
  // Text of several lines: line breaks and tabs are welcome.
  std::optional<std::string> document(std::string_view name, size_t max);
  // Passwords and keys: any characters; their value is in no message.
  std::optional<std::string> secret(std::string_view name, size_t max);
  std::string required_secret(std::string_view name, size_t max);
  std::optional<bool> flag(std::string_view name);
  std::optional<int64_t> integer(std::string_view name, IntegerRule rule);
  // An outer nothing: absent; an inner nothing: null.
  std::optional<std::optional<int64_t>> nullable_integer(std::string_view name, IntegerRule rule);
  // Without duplicates.
  std::optional<std::vector<std::string>> texts(std::string_view name, ListRule rule);
  std::optional<std::vector<int64_t>> ids(std::string_view name, ListRule rule);
  std::optional<std::string> choice(std::string_view name,
                                    std::initializer_list<std::string_view> choices);
  // The value as it is written, for what is read digit by digit (money): no number of it has been
  // a floating point number. "null" is a value.
  std::optional<std::string> raw(std::string_view name);
  // Yuan, as a JSON number or decimal text, exact.
  std::optional<base::Money> money(std::string_view name, MoneyRule rule);
  // A field of the product that this version does not have yet: refused, with that reason.
  void not_yet(std::string_view name);

  // A fault if the field is absent.
  void required(std::string_view name);
  // A fault that the caller found; an earlier one stays.
  void fail(Error error);
  void check(Result<void> rule);
  bool given(std::string_view name) const { return object_.contains(name); }
  bool empty() const { return object_.empty(); }
  Result<void> finish();

 private:
  const boost::json::value* take(std::string_view name);
  void expected(std::string_view name, std::string what);
  std::optional<std::string> text_of(const boost::json::value& v, std::string_view name,
                                     TextRule rule);
  std::optional<int64_t> integer_of(const boost::json::value& v, std::string_view name,
                                    IntegerRule rule);
  const boost::json::array* list(std::string_view name, const ListRule& rule);

  std::string_view body_;
  boost::json::object object_;
  std::vector<std::string_view> asked_;
  std::optional<Error> error_;
};

}  // namespace deeppool::webapi
