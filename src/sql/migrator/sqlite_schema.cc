#include "sql/migrator/sqlite_schema.h"

namespace deeppool::sql {

Result<std::string> SqliteSchema::stored_text(const std::string& type, const std::string& name) {
  DP_TRY(const auto rows,
         read_text(connection_, "SELECT sql FROM sqlite_master WHERE type = ? AND name = ?",
                   {type, name}));
  return rows.empty() ? std::string() : normalised(rows[0][0]);
}

Result<std::string> SqliteSchema::column_facts(const std::string& table,
                                               const std::string& column) {
  DP_TRY(const auto rows, read_text(connection_,
                                    "SELECT upper(type), \"notnull\", dflt_value, pk FROM "
                                    "pragma_table_info(?) WHERE name = ?",
                                    {table, column}));
  std::string facts;
  for (const TextRow& row : rows) {
    for (const std::string& fact : row) facts += fact + "|";
  }
  return facts;
}

Result<bool> SqliteSchema::table_exists(const std::string& table) {
  DP_TRY(const std::string text, stored_text("table", table));
  return !text.empty();
}

Result<bool> SqliteSchema::view_exists(const std::string& view) {
  DP_TRY(const std::string text, stored_text("view", view));
  return !text.empty();
}

Result<bool> SqliteSchema::column_exists(const Probe& probe) {
  DP_TRY(const std::string facts, column_facts(probe.table, probe.name));
  return !facts.empty();
}

Result<bool> SqliteSchema::index_exists(const Probe& probe) {
  DP_TRY(const std::string text, stored_text("index", probe.name));
  return !text.empty();
}

Result<Schema::Definitions> SqliteSchema::table_definitions(const Step& step) {
  DP_TRY(std::string found, stored_text("table", step.probe.table));
  return Definitions{std::move(found), normalised(step.statement)};
}

Result<Schema::Definitions> SqliteSchema::view_definitions(const Step& step) {
  DP_TRY(std::string found, stored_text("view", step.probe.table));
  return Definitions{std::move(found), normalised(step.statement)};
}

Result<Schema::Definitions> SqliteSchema::index_definitions(const Step& step) {
  DP_TRY(std::string found, stored_text("index", step.probe.name));
  return Definitions{std::move(found), normalised(step.statement)};
}

Result<Schema::Definitions> SqliteSchema::column_definitions(const Step& step) {
  DP_TRY(std::string found, column_facts(step.probe.table, step.probe.name));
  // A temporary table shows what SQLite makes of the definition, and is gone with the connection.
  DP_CHECK(connection_.run_plain("DROP TABLE IF EXISTS temp.wanted_column"));
  DP_CHECK(connection_.run_plain("CREATE TEMP TABLE wanted_column (" + added_column(step) + ")"));
  DP_TRY(std::string wanted, column_facts("wanted_column", step.probe.name));
  DP_CHECK(connection_.run_plain("DROP TABLE temp.wanted_column"));
  return Definitions{std::move(found), std::move(wanted)};
}

}  // namespace deeppool::sql
