#include "sql/dialect.h"

#include "base/text.h"

namespace deeppool::sql {
namespace {

std::string placeholders(size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ", ?";
  return out;
}

std::string tuples(Repeat repeat) {
  const std::string tuple = "(" + placeholders(repeat.width) + ")";
  std::string out = "VALUES ";
  for (size_t i = 0; i < repeat.count; ++i) out += i == 0 ? tuple : ", " + tuple;
  return out;
}

// The WHERE keeps the parser from taking a following ON CONFLICT for a join's condition.
std::string given_rows(size_t width) {
  std::string columns;
  for (size_t i = 0; i < width; ++i) columns += (i == 0 ? "c" : ", c") + std::to_string(i);
  return "SELECT " + columns + " FROM given_rows WHERE 1";
}

// Names were checked when the literal was compiled (text.h).
std::string fragment(Engine engine, std::string_view body, Repeat repeat) {
  const size_t space = body.find(' ');
  const std::string_view name = body.substr(0, space);
  const std::string argument(space == std::string_view::npos ? "" : base::trim(body.substr(space)));
  const bool sqlite = engine == Engine::sqlite;
  if (name == "upsert") {
    return sqlite ? "ON CONFLICT (" + argument + ") DO UPDATE SET" : "ON DUPLICATE KEY UPDATE";
  }
  if (name == "new") return sqlite ? "excluded." + argument : "VALUES(" + argument + ")";
  if (name == "now_ms") {
    return sqlite ? "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
                  : "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";
  }
  if (name == "money") return sqlite ? "?" : "CAST(? AS DECIMAL(20,10))";
  if (name == "for_update") return sqlite ? "" : "FOR UPDATE";
  if (name == "for_share") return sqlite ? "" : "LOCK IN SHARE MODE";  // as both servers spell it
  if (name == "rows") return sqlite ? given_rows(repeat.width) : tuples(repeat);
  return placeholders(repeat.count);
}

}  // namespace

std::string_view to_string(Engine engine) {
  return engine == Engine::sqlite ? "sqlite" : "mysql";
}

std::string expand(Engine engine, std::string_view text, Repeat repeat) {
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') quoted = !quoted;
    if (text[i] != '{' || quoted) {
      out += text[i];
      continue;
    }
    const size_t end = text.find('}', i);
    out += fragment(engine, text.substr(i + 1, end - i - 1), repeat);
    i = end;
  }
  return out;
}

std::string like_pattern(std::string_view keyword) {
  std::string out = "%";
  for (const char c : keyword) {
    if (c == '%' || c == '_' || c == '!') out += '!';
    out += c;
  }
  return out + '%';
}

}  // namespace deeppool::sql
