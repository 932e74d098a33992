// Schema over information_schema. The server rewrites definitions (BIGINT, bigint(20), defaults
// ...), so a wanted one is found out by making it under a scratch name and comparing what SHOW
// CREATE TABLE says of both.
#pragma once

#include "sql/migrator/schema.h"

namespace deeppool::sql {

class MysqlSchema final : public Schema {
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
  Result<std::string> view_body(const std::string& view);
  Result<std::string> show_create(const std::string& table);
  // What the server makes of `statement`, which makes `scratch`.
  Result<std::string> try_out(const std::string& scratch, const std::string& statement);
};

}  // namespace deeppool::sql
