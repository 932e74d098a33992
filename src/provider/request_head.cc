#include "provider/request_head.h"

#include "base/text.h"

namespace deeppool::provider {
namespace {

void add(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  head += value;
  head += "\r\n";
}

}  // namespace

void append_authority(std::string& head, const Endpoint& endpoint) {
  const bool ipv6 = endpoint.host.find(':') != std::string::npos;
  if (ipv6) head += '[';
  head += endpoint.host;
  if (ipv6) head += ']';
  if (endpoint.port != (endpoint.tls ? 443 : 80)) {
    head += ':';
    base::append_int(head, endpoint.port);
  }
}

std::string request_head(const Asking& asking, const RequestHeadFields& fields) {
  const Endpoint& endpoint = asking.endpoint;
  std::string head;
  head.reserve(512);
  head += "POST ";
  head += endpoint.path_prefix;
  head += fields.path;
  head += " HTTP/1.1\r\nHost: ";
  append_authority(head, endpoint);
  if (!endpoint.api_key.empty()) {
    head += "\r\n";
    head += fields.key_header;
    head += endpoint.api_key;
  }
  head +=
      "\r\nContent-Type: application/json\r\nAccept-Encoding: identity"
      "\r\nUser-Agent: DeepPool/0.1\r\nContent-Length: ";
  base::append_int(head, fields.content_length);
  head += "\r\n";
  head += fields.more_fields;
  add(head, "Accept", asking.view.stream ? "text/event-stream" : "application/json");
  add(head, "X-Request-Id", asking.request_id);
  if (!asking.traceparent.empty()) add(head, "traceparent", asking.traceparent);
  head += "\r\n";
  return head;
}

}  // namespace deeppool::provider
