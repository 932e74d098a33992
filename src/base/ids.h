// Strong identifiers: a user's id cannot be passed where a key's is wanted.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace deeppool::base {

template <class Tag>
struct Id {
  int64_t value = 0;  // 0: none; rows count from 1
  explicit operator bool() const { return value != 0; }
  auto operator<=>(const Id&) const = default;
};

using UserId = Id<struct UserTag>;
using ApiKeyId = Id<struct ApiKeyTag>;
using ModelId = Id<struct ModelTag>;
using EndpointId = Id<struct EndpointTag>;
using DiscountId = Id<struct DiscountTag>;
using GrantId = Id<struct GrantTag>;  // of free tokens
using PriceId = Id<struct PriceTag>;  // a price list as it once was (price_snapshots)

// A request's own id, made at accept: UUIDv7 (RFC 9562), so that rows sort by time. Never an
// upstream's id.
struct RequestId {
  std::array<uint8_t, 16> bytes{};
  static RequestId make(const Clock& clock, Random& random);
  static std::optional<RequestId> parse(std::string_view text);
  // The lowest that a request of this millisecond can have, for ranges of time.
  static RequestId first_of(int64_t unix_ms);
  static RequestId last();             // no request comes after it
  std::array<char, 36> spell() const;  // lower case
  std::string to_string() const {
    const auto text = spell();
    return {text.data(), text.size()};
  }
  int64_t unix_ms() const;  // when it was made
  auto operator<=>(const RequestId&) const = default;
};

}  // namespace deeppool::base

template <class Tag>
struct std::hash<deeppool::base::Id<Tag>> {
  size_t operator()(deeppool::base::Id<Tag> id) const { return std::hash<int64_t>{}(id.value); }
};
template <>
struct std::hash<deeppool::base::RequestId> {
  size_t operator()(const deeppool::base::RequestId& id) const {
    return std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  }
};
