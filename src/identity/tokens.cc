#include "identity/tokens.h"

#include <span>

#include "base/text.h"

namespace deeppool::identity {
namespace {

std::string random_text(size_t bytes, base::Random& random) {
  std::string raw(bytes, '\0');
  random.fill({reinterpret_cast<uint8_t*>(raw.data()), raw.size()});
  return base::base64url_encode(raw);
}

}  // namespace

std::string make_token(std::string_view mark, base::Random& random) {
  return std::string(mark) + random_text(32, random);
}

std::string make_password(base::Random& random) {
  return random_text(15, random);
}

}  // namespace deeppool::identity
