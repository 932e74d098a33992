// How both engines say that a row with this value of a unique column is there already. Pure.
#pragma once

#include <string>

#include "base/error.h"

namespace deeppool::sql {

// conflict, with the column as `param`. Stores may word it better.
inline Error taken(std::string column, std::string detail) {
  Error error(ErrorCode::conflict, "This `" + column + "` is taken; choose another.",
              std::move(detail));
  error.param = std::move(column);
  return error;
}

}  // namespace deeppool::sql
