#include "sql/mysql/mysql_statement.h"

#include "base/text.h"
#include "sql/mysql/mysql_connection.h"

namespace deeppool::sql {
namespace {

constexpr size_t kFirstBuffer = 256;     // most text of ours fits
constexpr unsigned kBinaryCharset = 63;  // MYSQL_FIELD::charsetnr of blobs

// libmariadb reads argument buffers through non-const pointers. An amount's digits are kept in
// `decimal` meanwhile.
MYSQL_BIND argument(const Value& value, std::string& decimal) {
  MYSQL_BIND bind{};
  const auto point_at = [&](enum_field_types type, const void* data, size_t size) {
    bind.buffer_type = type;
    // libmariadb takes a null pointer for NULL, whatever the length.
    bind.buffer = const_cast<void*>(data == nullptr ? "" : data);
    bind.buffer_length = static_cast<unsigned long>(size);
  };
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    point_at(MYSQL_TYPE_LONGLONG, integer, sizeof *integer);
  } else if (const auto* money = std::get_if<base::Money>(&value)) {
    decimal = money->to_string();
    point_at(MYSQL_TYPE_NEWDECIMAL, decimal.data(), decimal.size());
  } else if (const auto* real = std::get_if<double>(&value)) {
    point_at(MYSQL_TYPE_DOUBLE, real, sizeof *real);
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    point_at(MYSQL_TYPE_STRING, text->data(), text->size());
  } else if (const auto* blob = std::get_if<Blob>(&value)) {
    point_at(MYSQL_TYPE_BLOB, blob->bytes.data(), blob->bytes.size());
  } else {
    bind.buffer_type = MYSQL_TYPE_NULL;
  }
  return bind;
}

}  // namespace

MysqlStatement::~MysqlStatement() {
  if (handle_ != nullptr) mysql_stmt_close(handle_);
}

Result<void> MysqlStatement::prepare(const std::string& text) {
  if (handle_ == nullptr) return Error(ErrorCode::unavailable, "out of memory", "mysql_stmt_init");
  if (mysql_stmt_prepare(handle_, text.data(), text.size()) != 0) {
    return connection_.last_error(handle_);
  }
  return describe_columns();
}

MysqlStatement::Kind MysqlStatement::kind_of(const MYSQL_FIELD& field) {
  switch (field.type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
      return Kind::integer;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
      return Kind::real;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return field.decimals == 0 ? Kind::whole_decimal : Kind::text;
    default:
      return field.charsetnr == kBinaryCharset ? Kind::blob : Kind::text;
  }
}

Result<void> MysqlStatement::describe_columns() {
  MYSQL_RES* const description = mysql_stmt_result_metadata(handle_);
  if (description == nullptr) return {};  // a statement without rows
  const unsigned count = mysql_num_fields(description);
  columns_.resize(count);
  binds_.resize(count);
  for (unsigned i = 0; i < count; ++i) {
    columns_[i].kind = kind_of(*mysql_fetch_field_direct(description, i));
    columns_[i].bytes.resize(kFirstBuffer);
  }
  mysql_free_result(description);
  return {};
}

Result<void> MysqlStatement::bind_columns() {
  for (size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    MYSQL_BIND& bind = binds_[i];
    bind = {};
    bind.is_null = &column.is_null;
    bind.length = &column.length;
    bind.error = &column.error;
    if (column.kind == Kind::integer) {
      bind.buffer_type = MYSQL_TYPE_LONGLONG;
      bind.buffer = &column.integer;
    } else if (column.kind == Kind::real) {
      bind.buffer_type = MYSQL_TYPE_DOUBLE;
      bind.buffer = &column.real;
    } else {
      bind.buffer_type = column.kind == Kind::blob ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
      bind.buffer = column.bytes.data();
      bind.buffer_length = static_cast<unsigned long>(column.bytes.size());
    }
  }
  if (mysql_stmt_bind_result(handle_, binds_.data()) != 0) return connection_.last_error(handle_);
  return {};
}

Result<Outcome> MysqlStatement::run(std::span<const Value> arguments) {
  if (arguments.size() != mysql_stmt_param_count(handle_)) {
    return Error(ErrorCode::internal, "the database refused a statement", "number of arguments");
  }
  std::vector<MYSQL_BIND> binds;
  std::vector<std::string> decimals(arguments.size());
  binds.reserve(arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i) {
    binds.push_back(argument(arguments[i], decimals[i]));
  }
  if (!binds.empty() && mysql_stmt_bind_param(handle_, binds.data()) != 0) {
    return connection_.last_error(handle_);
  }
  if (mysql_stmt_execute(handle_) != 0) return connection_.last_error(handle_);
  // MySQL tells the columns of SHOW statements only now, MariaDB when it prepares.
  if (columns_.empty()) DP_CHECK(describe_columns());
  if (!columns_.empty()) {
    DP_CHECK(bind_columns());
    return Outcome{};
  }
  return Outcome{static_cast<int64_t>(mysql_stmt_affected_rows(handle_)),
                 static_cast<int64_t>(mysql_stmt_insert_id(handle_))};
}

Result<bool> MysqlStatement::next() {
  if (columns_.empty()) return false;
  const int code = mysql_stmt_fetch(handle_);
  if (code == MYSQL_NO_DATA) return false;
  if (code != 0 && code != MYSQL_DATA_TRUNCATED) return connection_.last_error(handle_);
  DP_CHECK(fetch_long_values());
  return true;
}

Result<void> MysqlStatement::fetch_long_values() {
  bool grown = false;
  for (unsigned i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    const bool has_bytes = column.kind != Kind::integer && column.kind != Kind::real;
    if (!has_bytes || column.is_null || column.length <= column.bytes.size()) continue;
    column.bytes.resize(column.length);
    binds_[i].buffer = column.bytes.data();
    binds_[i].buffer_length = column.length;
    if (mysql_stmt_fetch_column(handle_, &binds_[i], i, 0) != 0)
      return connection_.last_error(handle_);
    grown = true;
  }
  // The library keeps its own copy of the binds: tell it about the larger buffers.
  return grown ? bind_columns() : Result<void>();
}

Value MysqlStatement::column(size_t index) const {
  const Column& column = columns_[index];
  if (column.is_null) return {};
  const std::string_view bytes(column.bytes.data(),
                               std::min<size_t>(column.length, column.bytes.size()));
  switch (column.kind) {
    case Kind::integer:
      return column.integer;
    case Kind::real:
      return column.real;
    case Kind::whole_decimal:  // SUM of integers, exact in SQLite as well
      if (const auto whole = base::parse_int<int64_t>(bytes)) return *whole;
      return bytes;
    case Kind::blob:
      return Blob{bytes};
    case Kind::text:
      break;
  }
  return bytes;
}

void MysqlStatement::close() {
  mysql_stmt_free_result(handle_);
  mysql_stmt_reset(handle_);
}

}  // namespace deeppool::sql
