// Row: the current row of a query, read by column number and C++ type (value.h says which). A
// column that does not fit its type is a bug of the query: the row notes it and the whole query
// ends in an internal error, so reading code needs no checks. Valid only inside the callback it is
// passed to.
#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "sql/connection.h"

namespace deeppool::sql {

class Row {
 public:
  Row(const Statement& statement, std::string& misfit) : statement_(statement), misfit_(misfit) {}

  size_t size() const { return statement_.columns(); }

  // T may be std::string_view here: it lives as long as the row.
  template <class T>
  T get(size_t column) const {
    T out{};
    if (column >= size() || !from_value(statement_.column(column), out)) note_misfit(column);
    return out;
  }

  // All columns in order: row.into(user.id, user.name, user.phone). Their number must match.
  template <class... T>
  void into(T&... out) const {
    if (sizeof...(T) != size()) note_misfit(size());
    size_t column = 0;
    ((out = get<T>(column++)), ...);
  }

 private:
  void note_misfit(size_t column) const;
  const Statement& statement_;
  std::string& misfit_;
};

template <class T>
concept ReadsRow = requires(const Row& row) {
  { T::from_row(row) } -> std::same_as<T>;
};

template <class... Columns>
struct RowAsTuple {
  using type = std::tuple<Columns...>;
};
template <class Column>
struct RowAsTuple<Column> {
  using type = Column;
};
template <class... Columns>
using RowAs = typename RowAsTuple<Columns...>::type;

template <class... Columns>
RowAs<Columns...> read_row(const Row& row) {
  static_assert(!(std::same_as<Columns, std::string_view> || ...), "the row is gone by then");
  if constexpr (sizeof...(Columns) == 1 && (ReadsRow<Columns> && ...)) {
    return RowAs<Columns...>::from_row(row);
  } else if constexpr (sizeof...(Columns) == 1) {
    RowAs<Columns...> out{};
    row.into(out);
    return out;
  } else {
    std::tuple<Columns...> out;
    std::apply([&](Columns&... column) { row.into(column...); }, out);
    return out;
  }
}

}  // namespace deeppool::sql
