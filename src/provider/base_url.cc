#include "provider/base_url.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace deeppool::provider {
namespace {

constexpr size_t kMaxHostBytes = 253;  // RFC 1035, 2.3.4, as text

Error bad(std::string why) {
  return Error::invalid("endpoint", std::move(why));
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_ipv6_char(char c) {
  return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

// Bytes that RFC 3986 allows in a path, besides "%": everything that needs no escape.
bool is_path_char(char c) {
  constexpr std::string_view kMarks = "/-._~!$&'()*+,;=:@%";
  return (base::lower(c) >= 'a' && base::lower(c) <= 'z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

Result<void> check_characters(std::string_view text) {
  if (text.empty()) return bad("A base URL is needed, such as https://api.openai.com/v1.");
  if (text.size() > kMaxBaseUrlBytes) {
    return bad("The base URL is longer than " + std::to_string(kMaxBaseUrlBytes) + " bytes.");
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      return bad(
          "The base URL contains white space, a control character or a non-ASCII character; write "
          "international names in their xn-- form.");
    }
    if (c == '\\') return bad("The base URL contains a backslash.");
    if (c == '?') return bad("The base URL must not have a query (?...).");
    if (c == '#') return bad("The base URL must not have a fragment (#...).");
  }
  return {};
}

Result<void> parse_port(std::string_view text, BaseUrl& url) {
  const auto port = base::parse_int<uint16_t>(text);
  if (!port || *port == 0) {
    return bad("The base URL's port must be a number from 1 to 65535.");
  }
  url.port = *port;
  return {};
}

// `host`, `host:port`, `[v6]` or `[v6]:port`.
Result<void> parse_authority(std::string_view authority, BaseUrl& url) {
  std::string_view host = authority;
  std::optional<std::string_view> port;
  const bool literal = authority.starts_with('[');
  const size_t end = literal ? authority.find(']') : authority.find(':');
  if (literal) {
    if (end == std::string_view::npos) return bad("The base URL's IPv6 address lacks its ].");
    host = authority.substr(1, end - 1);
    const std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return bad("After ] only a port may follow.");
    if (!rest.empty()) port = rest.substr(1);
  } else if (end != std::string_view::npos) {
    host = authority.substr(0, end);
    port = authority.substr(end + 1);
  }
  for (const char c : host) url.host += base::lower(c);
  if (url.host.empty()) return bad("The base URL has no host.");
  if (!std::ranges::all_of(url.host, literal ? is_ipv6_char : is_host_char) ||
      url.host.size() > kMaxHostBytes ||
      (!literal && (url.host[0] == '.' || url.host.find("..") != std::string::npos))) {
    return bad("The base URL's host is not a valid name or address.");
  }
  if (port) return parse_port(*port, url);
  url.port = url.tls ? 443 : 80;
  return {};
}

Result<void> parse_path(std::string_view path, BaseUrl& url) {
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!std::ranges::all_of(path, is_path_char) || !base::percent_decode(path)) {
    return bad("The base URL's path has a character that must be percent-encoded.");
  }
  for (const std::string_view segment : base::split(path, '/')) {
    if (segment == "." || segment == "..") {
      return bad("The base URL's path must not have . or .. in it.");
    }
  }
  if (path.find("//") != std::string_view::npos) {
    return bad("The base URL's path must not have empty segments (//).");
  }
  url.path_prefix = path;
  return {};
}

}  // namespace

Result<BaseUrl> parse_base_url(std::string_view text) {
  DP_CHECK(check_characters(text));
  BaseUrl url;
  if (base::iequals(text.substr(0, 8), "https://")) {
    url.tls = true;
    text.remove_prefix(8);
  } else if (base::iequals(text.substr(0, 7), "http://")) {
    text.remove_prefix(7);
  } else {
    return bad("The base URL must begin with https:// or http://.");
  }
  const size_t slash = std::min(text.find('/'), text.size());
  const std::string_view authority = text.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    return bad("The base URL must not hold a user or password; give the key as `api_key`.");
  }
  DP_CHECK(parse_authority(authority, url));
  DP_CHECK(parse_path(text.substr(slash), url));
  return url;
}

}  // namespace deeppool::provider
