// Schema: what the migrator knows of the tables that are there. One implementation per engine. Used
// under the migrator's writer, on its thread. Statements here are the migrator's own, never built
// from input of a caller.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/migrator/migration.h"
#include "sql/session.h"

namespace deeppool::sql {

struct Finding {
  enum class State { missing, done, different };
  State state = State::missing;
  std::string difference;  // what is there instead of what the step makes, for the log
};

using TextRow = std::vector<std::string>;
// Any statement with text arguments, its rows as text ("" for NULL).
Result<std::vector<TextRow>> read_text(Connection& connection, const std::string& statement,
                                       const std::vector<std::string>& arguments = {});

class Schema {
 public:
  explicit Schema(Connection& connection) : connection_(connection) {}
  virtual ~Schema() = default;

  // By name alone: for a statement that this very run has just executed.
  Result<bool> in_place(const Probe& probe);
  // By name and by definition: a table that has the step's name but other columns is `different`.
  Result<Finding> examine(const Step& step);
  virtual Result<bool> table_exists(const std::string& table) = 0;

 protected:
  virtual Result<bool> view_exists(const std::string& view) = 0;
  virtual Result<bool> column_exists(const Probe& probe) = 0;
  virtual Result<bool> index_exists(const Probe& probe) = 0;
  // Both only for objects that exist: the definition found, and the one that the step would make.
  struct Definitions {
    std::string found;
    std::string wanted;
  };
  virtual Result<Definitions> table_definitions(const Step& step) = 0;
  virtual Result<Definitions> view_definitions(const Step& step) = 0;
  virtual Result<Definitions> column_definitions(const Step& step) = 0;
  virtual Result<Definitions> index_definitions(const Step& step) = 0;

  // "ALTER TABLE t ADD COLUMN c BIGINT NOT NULL, ALGORITHM=INSTANT" -> "c BIGINT NOT NULL".
  static std::string added_column(const Step& step);

  Connection& connection_;

 private:
  Result<bool> exists(const Probe& probe);
  Result<Definitions> definitions(const Step& step);
};

std::unique_ptr<Schema> make_schema(Connection& connection);

}  // namespace deeppool::sql
