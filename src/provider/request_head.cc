#include "provider/request_head.h"

namespace deeppool::provider {
namespace {

constexpr size_t kUsualHead = 512;  // bytes; a longer key or path takes one more allocation

}  // namespace

void put_authority(base::TextBuffer& head, const Endpoint& endpoint) {
  const bool ipv6 = endpoint.host.find(':') != std::string::npos;
  if (ipv6) {
    head.put('[', endpoint.host, ']');
  } else {
    head.put(endpoint.host);
  }
  if (endpoint.port != (endpoint.tls ? 443 : 80)) head.put(':', endpoint.port);
}

base::TextBuffer request_head(const Asking& asking, const RequestHeadFields& fields) {
  const Endpoint& endpoint = asking.endpoint;
  base::TextBuffer head;
  head.reserve(kUsualHead);
  head.put("POST ", endpoint.path_prefix, fields.path, " HTTP/1.1\r\nHost: ");
  put_authority(head, endpoint);
  if (!endpoint.api_key.empty()) head.put("\r\n", fields.key_header, endpoint.api_key);
  head.put(
      "\r\nContent-Type: application/json\r\nAccept-Encoding: identity"
      "\r\nUser-Agent: DeepPool/0.1\r\nContent-Length: ",
      fields.content_length, "\r\n", fields.more_fields,
      "Accept: ", asking.view.stream ? std::string_view("text/event-stream") : "application/json",
      "\r\nX-Request-Id: ", asking.request_id);
  if (!asking.traceparent.empty()) head.put("\r\ntraceparent: ", asking.traceparent);
  head.put("\r\n\r\n");
  return head;
}

}  // namespace deeppool::provider
