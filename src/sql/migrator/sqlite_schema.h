// Schema over sqlite_master, which keeps the very text that made a table or index.
#pragma once

#include "sql/migrator/schema.h"

namespace deeppool::sql {

class SqliteSchema final : public Schema {
 public:
  using Schema::Schema;
  Result<bool> table_exists(const std::string& table) override;

 protected:
  Result<bool> view_exists(const std::string& view) override;
  Result<bool> column_exists(const Probe& probe) override;
  Result<bool> index_exists(const Probe& probe) override;
  Result<Definitions> table_definitions(const Step& step) override;
  Result<Definitions> view_definitions(const Step& step) override;
  Result<Definitions> column_definitions(const Step& step) override;
  Result<Definitions> index_definitions(const Step& step) override;

 private:
  Result<std::string> stored_text(const std::string& type, const std::string& name);
  Result<std::string> column_facts(const std::string& table, const std::string& column);
};

}  // namespace deeppool::sql
