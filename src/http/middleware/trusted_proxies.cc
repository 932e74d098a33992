#include "http/middleware/trusted_proxies.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace deeppool::http {
namespace {

constexpr int kMappedPrefixBits = 96;  // ::ffff:0:0/96

// Without the port and brackets that some proxies add: "1.2.3.4:5", "[::1]:5", "[::1]".
std::string_view without_port(std::string_view s) {
  if (s.starts_with('[')) {
    const size_t close = s.find(']');
    return close == std::string_view::npos ? s : s.substr(1, close - 1);
  }
  const size_t colon = s.find(':');
  const bool one_colon = colon != std::string_view::npos && s.find(':', colon + 1) == s.npos;
  return one_colon ? s.substr(0, colon) : s;
}

}  // namespace

std::optional<std::array<uint8_t, 16>> parse_ip(std::string_view text) {
  char name[INET6_ADDRSTRLEN] = {};
  if (text.empty() || text.size() >= sizeof name) return std::nullopt;
  std::memcpy(name, text.data(), text.size());
  std::array<uint8_t, 16> out{};
  if (inet_pton(AF_INET6, name, out.data()) == 1) return out;
  out[10] = out[11] = 0xff;
  if (inet_pton(AF_INET, name, out.data() + 12) == 1) return out;
  return std::nullopt;
}

bool is_loopback(std::string_view ip) {
  const auto address = parse_ip(ip);
  if (!address) return false;
  static constexpr std::array<uint8_t, 16> kOne{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  static constexpr std::array<uint8_t, 13> kFour{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
  return *address == kOne || std::equal(kFour.begin(), kFour.end(), address->begin());
}

std::optional<AddressBlock> AddressBlock::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view ip = text.substr(0, slash);
  const auto address = parse_ip(ip);
  if (!address) return std::nullopt;
  AddressBlock block;
  block.address_ = *address;
  if (slash == std::string_view::npos) return block;
  const bool four = ip.find(':') == std::string_view::npos;
  const auto bits = base::parse_int<int>(text.substr(slash + 1));
  if (!bits || *bits < 0 || *bits > (four ? 32 : 128)) return std::nullopt;
  block.bits_ = four ? *bits + kMappedPrefixBits : *bits;
  return block;
}

bool AddressBlock::contains(const std::array<uint8_t, 16>& address) const {
  const auto whole = static_cast<size_t>(bits_ / 8);
  if (!std::equal(address_.begin(), address_.begin() + whole, address.begin())) return false;
  const int rest = bits_ % 8;
  if (rest == 0) return true;
  return ((address_[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& blocks) {
  TrustedProxies out;
  for (const std::string& text : blocks) {
    const auto block = AddressBlock::parse(text);
    if (!block) {
      return Error(ErrorCode::invalid_request, "Not an address or block: " + text);
    }
    out.blocks_.push_back(*block);
  }
  return out;
}

bool TrustedProxies::trusts(std::string_view ip) const {
  const auto address = parse_ip(ip);
  return address && std::any_of(blocks_.begin(), blocks_.end(),
                                [&](const AddressBlock& b) { return b.contains(*address); });
}

std::string_view TrustedProxies::client_ip(std::string_view peer, const Headers& headers) const {
  if (blocks_.empty() || !trusts(peer)) return peer;
  // Several fields count as one list, in order; walk it from the end.
  std::string_view client = peer;
  for (auto field = headers.end(); field != headers.begin();) {
    --field;
    if (!base::iequals(field->name, "x-forwarded-for")) continue;
    std::string_view list = field->value;
    while (!list.empty()) {
      const size_t comma = list.rfind(',');
      const bool last = comma == std::string_view::npos;
      const std::string_view hop = without_port(base::trim(last ? list : list.substr(comma + 1)));
      // Garbage ends the walk: what stands left of it cannot be believed either.
      if (!parse_ip(hop)) return client;
      client = hop;
      if (!trusts(hop)) return client;
      list = last ? std::string_view() : list.substr(0, comma);
    }
  }
  return client;
}

}  // namespace deeppool::http
