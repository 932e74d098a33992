#include "webapi/fields.h"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "base/text.h"
#include "json/padded.h"
#include "json/reader.h"

namespace deeppool::webapi {
namespace {

namespace bj = boost::json;

std::string quoted(std::string_view name) {
  return "`" + std::string(name) + "`";
}

bool is_control_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, is_control_character);
}

// The name of a field that came from outside, safe to put into a message.
std::string shown(std::string_view name) {
  constexpr size_t kShown = 64;
  if (name.size() > kShown || has_control_character(name)) return "a field";
  return quoted(name);
}

}  // namespace

Fields::Fields(std::string_view body) : body_(body) {
  boost::system::error_code failed;
  bj::value value = bj::parse(body, failed);
  if (failed) {
    fail(Error(ErrorCode::invalid_request, "The body is not valid JSON."));
  } else if (!value.is_object()) {
    fail(Error(ErrorCode::invalid_request, "The body must be a JSON object."));
  } else {
    object_ = std::move(value.get_object());
  }
}

const bj::value* Fields::take(std::string_view name) {
  asked_.push_back(name);
  return object_.if_contains(name);
}

void Fields::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

void Fields::check(Result<void> rule) {
  if (!rule) fail(std::move(rule).error());
}

void Fields::required(std::string_view name) {
  if (!given(name)) fail(Error::invalid(std::string(name), quoted(name) + " is required."));
}

void Fields::expected(std::string_view name, std::string what) {
  fail(Error::invalid(std::string(name), quoted(name) + " must be " + what + "."));
}

std::optional<std::string> Fields::text_of(const bj::value& v, std::string_view name,
                                           TextRule rule) {
  if (!v.is_string()) return expected(name, "a string"), std::nullopt;
  const std::string_view text = v.get_string();
  if (text.size() < rule.min || text.size() > rule.max) {
    const std::string bounds = rule.min == 0
                                   ? "at most " + std::to_string(rule.max)
                                   : std::to_string(rule.min) + " to " + std::to_string(rule.max);
    return expected(name, bounds + " bytes long"), std::nullopt;
  }
  if (has_control_character(text)) {
    return expected(name, "free of control characters"), std::nullopt;
  }
  if (rule.min > 0 && base::trim(text).empty()) {
    return expected(name, "more than spaces"), std::nullopt;
  }
  return std::string(text);
}

std::optional<int64_t> Fields::integer_of(const bj::value& v, std::string_view name,
                                          IntegerRule rule) {
  // 1.0 and 1e3 are refused: what is an integer is written as one.
  if (!v.is_int64() || v.get_int64() < rule.min || v.get_int64() > rule.max) {
    const bool open = rule.max == std::numeric_limits<int64_t>::max();
    expected(name, "an integer " + (open ? "of at least " + std::to_string(rule.min)
                                         : "from " + std::to_string(rule.min) + " to " +
                                               std::to_string(rule.max)));
    return std::nullopt;
  }
  return v.get_int64();
}

std::optional<std::string> Fields::text(std::string_view name, TextRule rule) {
  const bj::value* v = take(name);
  return v == nullptr ? std::nullopt : text_of(*v, name, rule);
}

std::string Fields::required_text(std::string_view name, TextRule rule) {
  auto value = text(name, rule);
  required(name);
  return std::move(value).value_or("");
}

std::optional<std::string> Fields::document(std::string_view name, size_t max) {
  const bj::value* v = take(name);
  if (v == nullptr) return std::nullopt;
  const auto odd = [](char c) {
    return is_control_character(c) && c != '\n' && c != '\r' && c != '\t';
  };
  if (!v->is_string()) return expected(name, "a string"), std::nullopt;
  const std::string_view text = v->get_string();
  if (text.size() > max) {
    return expected(name, "at most " + std::to_string(max) + " bytes long"), std::nullopt;
  }
  if (std::ranges::any_of(text, odd)) {
    return expected(name, "free of control characters"), std::nullopt;
  }
  return std::string(text);
}

std::optional<std::string> Fields::secret(std::string_view name, size_t max) {
  const bj::value* v = take(name);
  if (v == nullptr) return std::nullopt;
  if (!v->is_string()) return expected(name, "a string"), std::nullopt;
  if (v->get_string().size() > max) {
    return expected(name, "at most " + std::to_string(max) + " bytes long"), std::nullopt;
  }
  return std::string(v->get_string());
}

std::string Fields::required_secret(std::string_view name, size_t max) {
  auto value = secret(name, max);
  required(name);
  return std::move(value).value_or("");
}

std::optional<bool> Fields::flag(std::string_view name) {
  const bj::value* v = take(name);
  if (v == nullptr) return std::nullopt;
  if (!v->is_bool()) return expected(name, "true or false"), std::nullopt;
  return v->get_bool();
}

std::optional<int64_t> Fields::integer(std::string_view name, IntegerRule rule) {
  const bj::value* v = take(name);
  return v == nullptr ? std::nullopt : integer_of(*v, name, rule);
}

std::optional<std::optional<int64_t>> Fields::nullable_integer(std::string_view name,
                                                               IntegerRule rule) {
  const bj::value* v = take(name);
  if (v == nullptr) return std::nullopt;
  if (v->is_null()) return std::optional<int64_t>();
  return integer_of(*v, name, rule);
}

const bj::array* Fields::list(std::string_view name, const ListRule& rule) {
  const bj::value* v = take(name);
  if (v == nullptr) return nullptr;
  if (!v->is_array()) return expected(name, "a list"), nullptr;
  const size_t size = v->get_array().size();
  if (size < rule.min || size > rule.max) {
    return expected(name, "a list of " + std::to_string(rule.min) + " to " +
                              std::to_string(rule.max) + " items"),
           nullptr;
  }
  return &v->get_array();
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view name, ListRule rule) {
  const bj::array* items = list(name, rule);
  if (items == nullptr) return std::nullopt;
  std::vector<std::string> out;
  for (const bj::value& item : *items) {
    const std::string place = std::string(name) + "[" + std::to_string(out.size()) + "]";
    auto value = text_of(item, place, rule.item);
    if (!value) return std::nullopt;
    if (std::ranges::find(out, *value) != out.end()) {
      return expected(place, "different from the items before it"), std::nullopt;
    }
    out.push_back(*std::move(value));
  }
  return out;
}

std::optional<std::vector<int64_t>> Fields::ids(std::string_view name, ListRule rule) {
  const bj::array* items = list(name, rule);
  if (items == nullptr) return std::nullopt;
  std::vector<int64_t> out;
  for (const bj::value& item : *items) {
    const std::string place = std::string(name) + "[" + std::to_string(out.size()) + "]";
    const auto value = integer_of(item, place, {.min = 1});
    if (!value) return std::nullopt;
    if (std::ranges::find(out, *value) != out.end()) {
      return expected(place, "different from the items before it"), std::nullopt;
    }
    out.push_back(*value);
  }
  return out;
}

std::optional<std::string> Fields::choice(std::string_view name,
                                          std::initializer_list<std::string_view> choices) {
  const bj::value* v = take(name);
  if (v == nullptr) return std::nullopt;
  if (v->is_string() &&
      std::ranges::find(choices, std::string_view(v->get_string())) != choices.end()) {
    return std::string(v->get_string());
  }
  std::string names;
  for (const std::string_view choice : choices) {
    names += names.empty() ? "" : ", ";
    names += "\"" + std::string(choice) + "\"";
  }
  return expected(name, "one of " + names), std::nullopt;
}

std::optional<std::string> Fields::raw(std::string_view name) {
  if (take(name) == nullptr) return std::nullopt;
  const json::PaddedBytes padded(body_);
  json::Reader reader(padded.view());
  std::optional<std::string> text;
  // The last of a name counts, as for all other fields.
  for (json::Members members(reader); members.next();) {
    const bool wanted = members.key() == name;
    const json::Range value = reader.skip();
    if (wanted) text = reader.text(value);
  }
  if (!reader.finish()) expected(name, "readable");  // nested deeper than any field of ours
  return text;
}

std::optional<base::Money> Fields::money(std::string_view name, MoneyRule rule) {
  const auto written = raw(name);
  if (!written) return std::nullopt;
  std::string_view digits = *written;
  if (digits.size() >= 2 && digits.front() == '"') digits = digits.substr(1, digits.size() - 2);
  const auto amount = base::Money::parse(digits);
  if (amount && rule.min <= *amount && *amount <= rule.max) return amount;
  expected(name, "yuan from " + rule.min.to_string() + " to " + rule.max.to_string() +
                     ", as a number or decimal text with at most 10 decimals");
  return std::nullopt;
}

void Fields::not_yet(std::string_view name) {
  if (take(name) == nullptr) return;
  fail(Error::invalid(std::string(name), quoted(name) + " is not supported by this version yet."));
}

Result<void> Fields::finish() {
  for (const auto& member : object_) {
    const std::string_view name = member.key();
    if (std::ranges::find(asked_, name) != asked_.end()) continue;
    Error unknown = Error::invalid(std::string(name), shown(name) +
                                                          " is not a field of this "
                                                          "request.");
    if (shown(name) == "a field")
      unknown = Error::invalid("", "The body has a field that is not known here.");
    fail(std::move(unknown));
  }
  if (error_) return *std::move(error_);
  return {};
}

}  // namespace deeppool::webapi
