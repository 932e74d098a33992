#include "provider/openai/request.h"

#include "base/text.h"

namespace deeppool::provider::openai {
namespace {

void add(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  head += value;
  head += "\r\n";
}

}  // namespace

std::string_view output_limit_field(const Endpoint& endpoint, llm::Api api) {
  const bool renamed = endpoint.provider_type == "openai" && api == llm::Api::chat_completions;
  return renamed ? "max_completion_tokens" : "max_tokens";
}

std::string request_head(const Endpoint& endpoint, const RequestHeadFields& fields) {
  std::string head;
  head.reserve(512);
  head += "POST ";
  head += endpoint.path_prefix;
  head += fields.path;
  head += " HTTP/1.1\r\nHost: ";
  const bool ipv6 = endpoint.host.find(':') != std::string::npos;
  if (ipv6) head += '[';
  head += endpoint.host;
  if (ipv6) head += ']';
  if (endpoint.port != (endpoint.tls ? 443 : 80)) {
    head += ':';
    base::append_int(head, endpoint.port);
  }
  if (!endpoint.api_key.empty()) {
    head += "\r\nAuthorization: Bearer ";
    head += endpoint.api_key;
  }
  head +=
      "\r\nContent-Type: application/json\r\nAccept-Encoding: identity"
      "\r\nUser-Agent: DeepPool/0.1\r\nContent-Length: ";
  base::append_int(head, fields.content_length);
  head += "\r\n";
  add(head, "Accept", fields.accept);
  add(head, "X-Request-Id", fields.request_id);
  if (!fields.traceparent.empty()) add(head, "traceparent", fields.traceparent);
  head += "\r\n";
  return head;
}

}  // namespace deeppool::provider::openai
