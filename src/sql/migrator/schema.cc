#include "sql/migrator/schema.h"

#include <algorithm>

#include "sql/migrator/mysql_schema.h"
#include "sql/migrator/sqlite_schema.h"

namespace deeppool::sql {
namespace {

std::string as_text(const Value& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return std::to_string(*real);
  return std::string(any_bytes(value).value_or(""));
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  return out;
}

}  // namespace

Result<std::vector<TextRow>> read_text(Connection& connection, const std::string& statement,
                                       const std::vector<std::string>& arguments) {
  DP_TRY(Statement* const prepared, connection.prepared(statement));
  std::vector<Value> values;
  for (const std::string& argument : arguments) values.push_back(std::string_view(argument));
  std::vector<TextRow> rows;
  const auto read = [&]() -> Result<void> {
    DP_CHECK(prepared->run(values));
    while (true) {
      DP_TRY(const bool more, prepared->next());
      if (!more) return {};
      TextRow row;
      for (size_t i = 0; i < prepared->columns(); ++i) row.push_back(as_text(prepared->column(i)));
      rows.push_back(std::move(row));
    }
  };
  auto done = read();
  prepared->close();
  DP_CHECK(std::move(done));
  return rows;
}

Result<Finding> Schema::examine(const Step& step) {
  using State = Finding::State;
  DP_TRY(const bool done, in_place(step.probe));
  if (!done) return Finding{};
  const bool has_definition =
      step.probe.wanted == Probe::Wanted::present && step.probe.kind != Probe::Kind::rows;
  if (!has_definition) return Finding{State::done, {}};
  DP_TRY(const Definitions both, definitions(step));
  if (both.found == both.wanted) return Finding{State::done, {}};
  return Finding{State::different,
                 "there is: " + both.found + " but the step makes: " + both.wanted};
}

Result<bool> Schema::in_place(const Probe& probe) {
  DP_TRY(const bool present, exists(probe));
  return present == (probe.wanted == Probe::Wanted::present);
}

Result<bool> Schema::exists(const Probe& probe) {
  switch (probe.kind) {
    case Probe::Kind::table:
      return table_exists(probe.table);
    case Probe::Kind::view:
      return view_exists(probe.table);
    case Probe::Kind::column:
      return column_exists(probe);
    case Probe::Kind::index:
      return index_exists(probe);
    case Probe::Kind::rows:
      break;
  }
  DP_TRY(const auto rows, read_text(connection_, probe.query));
  return !rows.empty() && !rows[0].empty() && rows[0][0] != "0";
}

Result<Schema::Definitions> Schema::definitions(const Step& step) {
  switch (step.probe.kind) {
    case Probe::Kind::table:
      return table_definitions(step);
    case Probe::Kind::view:
      return view_definitions(step);
    case Probe::Kind::column:
      return column_definitions(step);
    default:
      return index_definitions(step);
  }
}

std::string Schema::added_column(const Step& step) {
  const std::string statement = normalised(step.statement);
  const std::string shouted = upper(statement);
  constexpr std::string_view kAdd = "ADD COLUMN ";
  const size_t begin = shouted.find(kAdd);
  if (begin == std::string::npos) return {};
  const size_t end = std::min({shouted.find(", ALGORITHM"), shouted.find(", LOCK"),
                               shouted.find(" AFTER "), shouted.size()});
  return statement.substr(begin + kAdd.size(), end - begin - kAdd.size());
}

std::unique_ptr<Schema> make_schema(Connection& connection) {
  if (connection.engine() == Engine::sqlite) return std::make_unique<SqliteSchema>(connection);
  return std::make_unique<MysqlSchema>(connection);
}

}  // namespace deeppool::sql
