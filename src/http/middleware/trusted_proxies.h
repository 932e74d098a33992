// Who really asks: the address of the connection, or the one that a trusted proxy reports in
// X-Forwarded-For. Anybody can write that field, so it is read from the right, hop by hop, only as
// far as the hops are trusted. Immutable, shared by all loops.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/codec/message.h"

namespace deeppool::http {

// "10.0.0.0/8", "::1", "2001:db8::/32". IPv4 is kept as IPv4-mapped IPv6, so that both spellings of
// an address match.
class AddressBlock {
 public:
  static std::optional<AddressBlock> parse(std::string_view text);
  bool contains(const std::array<uint8_t, 16>& address) const;

 private:
  std::array<uint8_t, 16> address_{};
  int bits_ = 128;
};

// An IP literal as 16 bytes; nothing if it is none.
std::optional<std::array<uint8_t, 16>> parse_ip(std::string_view text);
// 127.0.0.0/8 and ::1.
bool is_loopback(std::string_view ip);

class TrustedProxies {
 public:
  TrustedProxies() = default;
  // Errors: invalid_request that names the entry.
  static Result<TrustedProxies> parse(const std::vector<std::string>& blocks);

  // The caller's address: `peer` unless it is trusted and reports another. The view points into
  // `peer` or the headers.
  std::string_view client_ip(std::string_view peer, const Headers& headers) const;

 private:
  bool trusts(std::string_view ip) const;
  std::vector<AddressBlock> blocks_;
};

}  // namespace deeppool::http
