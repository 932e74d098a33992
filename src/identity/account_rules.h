// What an account may be called and how its password must be. The one place of these rules, so that
// no path (register, first start, administrator, password change) is laxer than another. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::identity {

// Lower case, as it is stored and compared; invalid_request (param `username`) unless it is 2-32 of
// letters, digits, `.`, `_`, `-`, starting with a letter or digit.
Result<std::string> normal_username(std::string_view text);
// Lower case; empty stays empty. invalid_request (param `email`) unless it looks like an address.
Result<std::string> normal_email(std::string_view text);
// Digits, spaces and + - ( ) only; empty is allowed. invalid_request (param `phone`).
Result<void> check_phone(std::string_view text);
// At least 8 bytes, at most 72, no NUL, and not the username. invalid_request (param `password`).
Result<void> check_new_password(std::string_view password, std::string_view username);

}  // namespace deeppool::identity
