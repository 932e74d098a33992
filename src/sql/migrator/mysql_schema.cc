#include "sql/migrator/mysql_schema.h"

#include "base/text.h"

namespace deeppool::sql {
namespace {

constexpr std::string_view kScratchEnding = "__wanted";

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// AUTO_INCREMENT=n counts rows, it is no part of the definition.
std::string without_counter(std::string text) {
  const size_t begin = text.find(" AUTO_INCREMENT=");
  if (begin == std::string::npos) return text;
  const size_t end = text.find(' ', begin + 1);
  return text.erase(begin, end == std::string::npos ? end : end - begin);
}

// The line of SHOW CREATE TABLE that describes a column.
std::string column_line(std::string_view create, const std::string& column) {
  for (const std::string_view raw : base::split(create, '\n')) {
    std::string_view line = base::trim(raw);
    if (line.ends_with(',')) line.remove_suffix(1);
    if (line.starts_with("\"" + column + "\" ")) return std::string(line);
  }
  return {};
}

std::string without_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ') out += base::lower(c);
  }
  return out;
}

// "CREATE UNIQUE INDEX i ON t (a, b)" -> "unique(a,b)".
std::string wanted_index(const Step& step) {
  const std::string statement = normalised(step.statement);
  const size_t open = statement.find('(');
  const size_t close = statement.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  const bool unique =
      without_spaces(statement.substr(0, open)).find("uniqueindex") != std::string::npos;
  return (unique ? "unique" : "") + without_spaces(statement.substr(open, close - open + 1));
}

}  // namespace

Result<bool> MysqlSchema::table_exists(const std::string& table) {
  DP_TRY(const auto rows, read_text(connection_,
                                    "SELECT 1 FROM information_schema.tables "
                                    "WHERE table_schema = DATABASE() AND table_name = ?",
                                    {table}));
  return !rows.empty();
}

Result<bool> MysqlSchema::view_exists(const std::string& view) {
  DP_TRY(const std::string body, view_body(view));
  return !body.empty();
}

Result<bool> MysqlSchema::column_exists(const Probe& probe) {
  DP_TRY(const auto rows,
         read_text(connection_,
                   "SELECT 1 FROM information_schema.columns "
                   "WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?",
                   {probe.table, probe.name}));
  return !rows.empty();
}

Result<bool> MysqlSchema::index_exists(const Probe& probe) {
  DP_TRY(const auto rows,
         read_text(connection_,
                   "SELECT 1 FROM information_schema.statistics "
                   "WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?",
                   {probe.table, probe.name}));
  return !rows.empty();
}

// Without the definer, who may be another account each time. Empty if there is no such view.
Result<std::string> MysqlSchema::view_body(const std::string& view) {
  DP_TRY(const auto rows, read_text(connection_,
                                    "SELECT view_definition FROM information_schema.views "
                                    "WHERE table_schema = DATABASE() AND table_name = ?",
                                    {view}));
  return rows.empty() ? std::string() : rows[0][0];
}

Result<std::string> MysqlSchema::show_create(const std::string& table) {
  DP_TRY(const auto rows, read_text(connection_, "SHOW CREATE TABLE " + table));
  if (rows.empty() || rows[0].size() < 2) {
    return Error(ErrorCode::internal, "the database refused a statement",
                 "SHOW CREATE TABLE " + table);
  }
  return without_counter(rows[0][1]);
}

Result<std::string> MysqlSchema::try_out(const std::string& scratch, const std::string& statement) {
  DP_CHECK(connection_.run_plain("DROP TABLE IF EXISTS " + scratch));
  DP_CHECK(connection_.run_plain(statement));
  auto made = show_create(scratch);
  DP_CHECK(connection_.run_plain("DROP TABLE " + scratch));
  return made;
}

Result<Schema::Definitions> MysqlSchema::table_definitions(const Step& step) {
  const std::string& table = step.probe.table;
  const std::string scratch = table + std::string(kScratchEnding);
  const std::string statement = normalised(step.statement);
  const std::string head = "CREATE TABLE " + table + " ";
  if (!statement.starts_with(head)) {
    return Error(ErrorCode::invalid_request, "a step probed by `table` begins with " + head);
  }
  DP_TRY(std::string found, show_create(table));
  DP_TRY(const std::string made,
         try_out(scratch, "CREATE TABLE " + scratch + " " + statement.substr(head.size())));
  return Definitions{std::move(found), replace_all(made, scratch, table)};
}

Result<Schema::Definitions> MysqlSchema::view_definitions(const Step& step) {
  const std::string& view = step.probe.table;
  const std::string scratch = view + std::string(kScratchEnding);
  const std::string statement = normalised(step.statement);
  const std::string head = "CREATE VIEW " + view + " ";
  if (!statement.starts_with(head)) {
    return Error(ErrorCode::invalid_request, "a step probed by `view` begins with " + head);
  }
  DP_TRY(std::string found, view_body(view));
  DP_CHECK(connection_.run_plain("DROP VIEW IF EXISTS " + scratch));
  DP_CHECK(connection_.run_plain("CREATE VIEW " + scratch + " " + statement.substr(head.size())));
  auto wanted = view_body(scratch);
  DP_CHECK(connection_.run_plain("DROP VIEW " + scratch));
  DP_TRY(std::string made, std::move(wanted));
  return Definitions{std::move(found), std::move(made)};
}

Result<Schema::Definitions> MysqlSchema::column_definitions(const Step& step) {
  const std::string& table = step.probe.table;
  DP_TRY(const std::string found, show_create(table));
  // LIKE keeps the table's character set, on which the definition of a text column depends.
  const std::string scratch = table + std::string(kScratchEnding);
  DP_CHECK(connection_.run_plain("DROP TABLE IF EXISTS " + scratch));
  DP_CHECK(connection_.run_plain("CREATE TABLE " + scratch + " LIKE " + table));
  auto changed = connection_.run_plain("ALTER TABLE " + scratch + " DROP COLUMN " +
                                       step.probe.name + ", ADD COLUMN " + added_column(step));
  auto made = show_create(scratch);
  DP_CHECK(connection_.run_plain("DROP TABLE " + scratch));
  DP_CHECK(std::move(changed));
  DP_TRY(const std::string text, std::move(made));
  return Definitions{column_line(found, step.probe.name), column_line(text, step.probe.name)};
}

Result<Schema::Definitions> MysqlSchema::index_definitions(const Step& step) {
  DP_TRY(const auto rows,
         read_text(connection_,
                   "SELECT non_unique, column_name, sub_part FROM information_schema.statistics "
                   "WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ? "
                   "ORDER BY seq_in_index",
                   {step.probe.table, step.probe.name}));
  std::string found;
  for (const TextRow& row : rows) {
    found += (found.empty() ? "(" : ",") + row[1] + (row[2].empty() ? "" : "(" + row[2] + ")");
  }
  const bool unique = !rows.empty() && rows[0][0] == "0";
  return Definitions{(unique ? "unique" : "") + without_spaces(found + ")"), wanted_index(step)};
}

}  // namespace deeppool::sql
