#include "testing/schema_dump.h"

#include <algorithm>
#include <stdexcept>

#include "sql/migrator/schema.h"

namespace deeppool::testing {
namespace {

// AUTO_INCREMENT=n counts rows, it is no part of the definition.
std::string without_counter(std::string text) {
  constexpr std::string_view kCounter = " AUTO_INCREMENT=";
  const size_t begin = text.find(kCounter);
  if (begin == std::string::npos) return text;
  const size_t end = text.find_first_not_of("0123456789", begin + kCounter.size());
  return text.erase(begin, end - begin);
}

std::vector<sql::TextRow> read(sql::Database& database, const std::string& statement) {
  auto writer = database.write();
  if (!writer) throw std::runtime_error(writer.error().message);
  auto rows = sql::read_text(writer->connection(), statement);
  if (!rows) throw std::runtime_error(rows.error().detail);
  return *std::move(rows);
}

}  // namespace

std::string schema_dump(sql::Database& database) {
  std::string dump;
  if (database.engine() == sql::Engine::sqlite) {
    for (const auto& row : read(database, "SELECT name, sql FROM sqlite_master ORDER BY name")) {
      dump += row[0] + ": " + row[1] + "\n";
    }
    return dump;
  }
  for (const auto& table : read(database,
                                "SELECT table_name FROM information_schema.tables "
                                "WHERE table_schema = DATABASE() ORDER BY table_name")) {
    const auto rows = read(database, "SHOW CREATE TABLE " + table[0]);
    dump += without_counter(rows.at(0).at(1)) + "\n";
  }
  return dump;
}

std::vector<std::string> column_names(sql::Database& database) {
  const bool sqlite = database.engine() == sql::Engine::sqlite;
  // SQLite calls the columns of an INTEGER PRIMARY KEY nullable; they are not.
  const auto rows =
      read(database,
           sqlite ? "SELECT m.name || '.' || c.name || "
                    "CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' not null' ELSE ' null' END "
                    "FROM sqlite_master m, pragma_table_info(m.name) c "
                    "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
                  : "SELECT CONCAT(table_name, '.', column_name, "
                    "CASE is_nullable WHEN 'NO' THEN ' not null' ELSE ' null' END) "
                    "FROM information_schema.columns WHERE table_schema = DATABASE() "
                    "AND table_name IN (SELECT table_name FROM information_schema.tables "
                    "WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE')");
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row[0]);
  std::ranges::sort(names);
  return names;
}

}  // namespace deeppool::testing
