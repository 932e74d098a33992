#include "identity/account_rules.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/password.h"
#include "identity/limits.h"

namespace deeppool::identity {
namespace {

bool is_alnum(char c) {
  return (base::lower(c) >= 'a' && base::lower(c) <= 'z') || (c >= '0' && c <= '9');
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), base::lower);
  return out;
}

bool is_visible_ascii(char c) {
  return c > 0x20 && c < 0x7f;
}

}  // namespace

Result<std::string> normal_username(std::string_view text) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; };
  if (text.size() < kMinUsernameBytes || text.size() > kMaxUsernameBytes ||
      !std::ranges::all_of(text, allowed) || !is_alnum(text.front())) {
    return Error::invalid("username",
                          "A username has 2 to 32 letters, digits, dots, underscores or hyphens "
                          "and starts with a letter or digit.");
  }
  return lowered(text);
}

Result<std::string> normal_email(std::string_view text) {
  if (text.empty()) return std::string();
  const size_t at = text.find('@');
  const bool one_at = at != std::string_view::npos && text.find('@', at + 1) == text.npos;
  if (!one_at || at == 0 || at + 1 == text.size() || text.size() > kMaxEmailBytes ||
      !std::ranges::all_of(text, is_visible_ascii)) {
    return Error::invalid("email", "This is not an e-mail address.");
  }
  return lowered(text);
}

Result<void> check_phone(std::string_view text) {
  constexpr std::string_view kAllowed = "0123456789+-() ";
  const auto allowed = [&](char c) { return kAllowed.find(c) != std::string_view::npos; };
  if (text.size() > kMaxPhoneBytes || !std::ranges::all_of(text, allowed)) {
    return Error::invalid("phone",
                          "A phone number has digits, spaces and + - ( ) only, 32 at most.");
  }
  return {};
}

Result<void> check_new_password(std::string_view password, std::string_view username) {
  DP_CHECK(crypto::check_password(password));
  if (password.size() < kMinPasswordBytes) {
    return Error::invalid("password", "A password needs at least 8 characters.");
  }
  if (base::iequals(password, username)) {
    return Error::invalid("password", "The password must not be the username.");
  }
  return {};
}

}  // namespace deeppool::identity
