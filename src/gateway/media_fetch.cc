#include "gateway/media_fetch.h"

#include "base/text.h"
#include "gateway/limits.h"
#include "provider/base_url.h"

namespace deeppool::gateway {
namespace {

Error bad(std::string message) {
  return Error(ErrorCode::invalid_request, std::move(message));
}

// One sentence for whatever went wrong on the way: which it was would be a map of our network.
Error unreachable(const Error& cause) {
  if (cause.code == ErrorCode::cancelled) return cause;
  Error error = bad("The URL could not be fetched.");
  error.detail = cause.detail;
  return error;
}

bool is_media(std::string_view type) {
  return type.starts_with("image/") || type.starts_with("audio/") || type.starts_with("video/") ||
         type == "application/pdf" || type == "text/plain";
}

// What servers that do not know call application/octet-stream.
std::string_view type_of_bytes(std::string_view bytes) {
  struct Magic {
    std::string_view begins;
    std::string_view type;
  };
  constexpr Magic kMagic[] = {{"\x89PNG", "image/png"},
                              {"\xff\xd8\xff", "image/jpeg"},
                              {"GIF8", "image/gif"},
                              {"%PDF-", "application/pdf"}};
  for (const Magic& magic : kMagic) {
    if (bytes.starts_with(magic.begins)) return magic.type;
  }
  const bool webp = bytes.size() >= 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP";
  return webp ? "image/webp" : "";
}

std::string head_of(const MediaUrl& url) {
  return "GET " + url.target + " HTTP/1.1\r\nHost: " + url.host +
         "\r\nAccept: image/*, application/pdf, audio/*, video/*, text/plain\r\n"
         "Accept-Encoding: identity\r\nUser-Agent: DeepPool/0.1\r\n\r\n";
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Where `location` leads from `from`.
std::string resolved(const MediaUrl& from, std::string_view location) {
  const std::string scheme = from.origin.tls ? "https:" : "http:";
  if (location.starts_with("//")) return scheme + std::string(location);
  if (location.starts_with('/')) return scheme + "//" + from.host + std::string(location);
  return std::string(location);
}

Task<Result<std::string>> read_body(http::Reply& reply, base::Deadline deadline, size_t& room) {
  std::string body;
  while (!reply.complete()) {
    Result<std::string_view> piece = co_await reply.read(deadline);
    if (!piece) co_return unreachable(piece.error());
    if (body.size() + piece->size() > kMaxMediaBytes) {
      co_return Error(ErrorCode::payload_too_large,
                      "What the URL leads to is larger than 20 MB. Send it in another way.");
    }
    if (piece->size() > room) co_return too_large_together();
    room -= piece->size();
    body += *piece;
    if (piece->empty()) break;
  }
  co_return body;
}

Task<Result<Media>> read_media(http::Reply& reply, base::Deadline deadline, size_t& room) {
  const http::ResponseHead& head = reply.head();
  if (head.status != 200) {
    co_return bad("The URL's server answered with status " + std::to_string(head.status) + ".");
  }
  const auto coding = head.headers.find("content-encoding");
  if (coding && !base::iequals(*coding, "identity")) co_return bad("The URL's answer is encoded.");
  std::string type(head.headers.find("content-type").value_or("application/octet-stream"));
  type = base::trim(std::string_view(type).substr(0, type.find(';')));
  Result<std::string> body = co_await read_body(reply, deadline, room);
  if (!body) co_return std::move(body).error();
  for (char& c : type) c = base::lower(c);
  if (type == "application/octet-stream") type = type_of_bytes(*body);
  if (!is_media(type)) co_return bad("The URL leads to neither a picture nor a document.");
  co_return Media{std::move(type), std::move(*body)};
}

}  // namespace

Error too_large_together() {
  return Error(ErrorCode::payload_too_large,
               "The pictures and documents of this request are too large together.");
}

Result<MediaUrl> MediaUrl::parse(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return bad("The URL must begin with https:// or http://.");
  url = url.substr(0, url.find('#'));
  const size_t path = url.find_first_of("/?", scheme + 3);
  const Result<provider::BaseUrl> base = provider::parse_base_url(url.substr(0, path));
  if (!base) return bad("The URL is not well-formed.");
  MediaUrl made;
  made.origin = {base->tls, base->host, base->port, ""};
  const bool ipv6 = base->host.find(':') != std::string::npos;
  made.host = ipv6 ? "[" + base->host + "]" : base->host;
  if (base->port != (base->tls ? 443 : 80)) made.host += ":" + std::to_string(base->port);
  if (path == std::string_view::npos || url[path] != '/') made.target = "/";
  if (path == std::string_view::npos) return made;
  for (const char c : url.substr(path)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte <= ' ' || byte == 0x7f) return bad("The URL is not well-formed.");
    if (byte < 0x80) {
      made.target += c;
    } else {
      made.target += base::percent_encode({&c, 1});
    }
  }
  return made;
}

Task<Result<Media>> fetch_media(http::Client& client, std::string url, base::Deadline deadline,
                                async::CancelScope& scope, size_t& room) {
  for (int hop = 0; hop <= kMaxMediaRedirects; ++hop) {
    Result<MediaUrl> at = MediaUrl::parse(url);
    if (!at) co_return std::move(at).error();
    const std::string head = head_of(*at);
    const http::OutgoingRequest request{http::Method::get, head, {}};
    Result<std::unique_ptr<http::Reply>> reply =
        co_await client.request(at->origin, request, deadline, scope);
    if (!reply) co_return unreachable(reply.error());
    const http::ResponseHead& answer = (*reply)->head();
    const auto location = answer.headers.find("location");
    if (!is_redirect(answer.status) || !location) {
      Result<Media> media = co_await read_media(**reply, deadline, room);
      co_return media;
    }
    url = resolved(*at, *location);
  }
  co_return bad("The URL redirects too often.");
}

}  // namespace deeppool::gateway
