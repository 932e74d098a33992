// Sql: the text of a statement, checked while the program is compiled. Only literals become one, so
// no value can ever be pasted into SQL; the number of `?` must equal the number of arguments; only
// the fragments of dialect.h are known. A wrong text is a compile error that names the reason.
#pragma once

#include <cstddef>
#include <string_view>

namespace deeppool::sql {
namespace text_check {

// Not constexpr on purpose: calling it during compilation is the error message.
void fail(const char* why);

constexpr bool known_fragment(std::string_view body) {
  const size_t space = body.find(' ');
  const std::string_view name = body.substr(0, space);
  const bool has_argument = space != std::string_view::npos;
  if (name == "upsert" || name == "new") return has_argument;
  return !has_argument && (name == "now_ms" || name == "for_update" || name == "for_share" ||
                           name == "money" || name == "rows" || name == "list");
}

struct Counts {
  size_t placeholders = 0;
  size_t repeats = 0;  // {rows} and {list}
};

constexpr size_t skip_fragment(std::string_view text, size_t at, Counts& counts) {
  const size_t end = text.find('}', at);
  if (end == std::string_view::npos) fail("a { without its }");
  const std::string_view body = text.substr(at + 1, end - at - 1);
  if (!known_fragment(body)) fail("an unknown fragment in braces, or one without its argument");
  if (body == "rows" || body == "list") ++counts.repeats;
  if (body == "money") ++counts.placeholders;
  return end;
}

constexpr Counts check(std::string_view text) {
  Counts counts;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\'') quoted = !quoted;
    if (quoted) continue;
    if (c == '?') ++counts.placeholders;
    if (c == ';') fail("one statement only, without a semicolon");
    if (c == '"' || c == '`') fail("no quoted names: engines disagree about them");
    if (c == '{') i = skip_fragment(text, i, counts);
  }
  if (quoted) fail("a string literal does not end");
  return counts;
}

}  // namespace text_check

// A statement with kArguments placeholders.
template <size_t kArguments>
class Sql {
 public:
  template <size_t N>
  consteval Sql(const char (&literal)[N]) : text_(literal, N - 1) {  // NOLINT: implicit on purpose
    const text_check::Counts counts = text_check::check(text_);
    if (counts.placeholders != kArguments) {
      text_check::fail("the number of ? is not the number of arguments");
    }
    if (counts.repeats != 0) text_check::fail("{rows} and {list} need insert_rows or query_list");
  }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// A statement with one {rows} or one {list} and, besides it, kArguments placeholders.
template <size_t kArguments>
class RepeatSql {
 public:
  template <size_t N>
  consteval RepeatSql(const char (&literal)[N]) : text_(literal, N - 1) {  // NOLINT: as above
    const text_check::Counts counts = text_check::check(text_);
    if (counts.repeats != 1) text_check::fail("exactly one {rows} or {list}");
    if (counts.placeholders != kArguments) {
      text_check::fail("the number of ? is not the number of arguments");
    }
  }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

}  // namespace deeppool::sql
