#include "http/client/dialer.h"

#include <algorithm>

#include "http/client/address_class.h"
#include "http/codec/head_parser.h"
#include "http/limits.h"

namespace deeppool::http {
namespace {

using Connected = Result<std::unique_ptr<async::Socket>>;

DP_OWN_FRAME Connected no_address(const Origin& origin) {
  return Error(ErrorCode::upstream_failed, "The upstream has no address.", origin.host);
}

DP_OWN_FRAME Connected not_public(const Origin& origin) {
  return Error(ErrorCode::upstream_failed, "The host has an address that is not public.",
               origin.host);
}

// A CA file that does not load is the endpoint's fault, not that of the request on its way there.
Result<std::shared_ptr<const async::TlsContext>> trusted(TlsContexts& contexts,
                                                         const std::string& ca_file) {
  auto context = contexts.get(ca_file);
  if (context) return context;
  return Error(ErrorCode::upstream_failed, "The upstream could not be reached.",
               context.error().message);
}

DP_OWN_FRAME void say_where(Error& error, const Origin& origin, const async::Address& address) {
  error.detail += " (" + origin.host + " at " + address.ip() + ")";
}

}  // namespace

Result<std::shared_ptr<const async::TlsContext>> TlsContexts::get(const std::string& ca_file) {
  const std::lock_guard lock(mutex_);
  if (const auto found = contexts_.find(ca_file); found != contexts_.end()) return found->second;
  DP_TRY(std::shared_ptr<const async::TlsContext> context, async::TlsContext::client(ca_file));
  contexts_.emplace(ca_file, context);
  return context;
}

Task<Result<std::vector<async::Address>>> Dialer::lookup(std::string host, uint16_t port,
                                                         base::Deadline deadline) {
  if (auto literal = async::Address::from_ip(host, port); literal) {
    co_return std::vector<async::Address>{*literal};
  }
  const base::Instant now = async::Loop::current().now();
  const std::string key = host + ":" + std::to_string(port);
  if (const auto found = resolved_.find(key);
      found != resolved_.end() && found->second.until > now) {
    co_return found->second.addresses;
  }
  Result<std::vector<async::Address>> addresses =
      co_await pool_.run([host, port] { return async::resolve(host, port); }, deadline);
  if (addresses) {
    if (resolved_.size() >= kMaxResolved) resolved_.clear();
    resolved_[key] = {*addresses, now + kResolvedFor};
  }
  co_return addresses;
}

Task<Result<std::unique_ptr<async::Socket>>> Dialer::connect_tcp(const Origin& origin,
                                                                 base::Deadline deadline,
                                                                 async::CancelScope& scope) {
  const bool tunnelled = tunnels(origin);
  Result<std::vector<async::Address>> addresses = co_await lookup(
      tunnelled ? proxy_.host : origin.host, tunnelled ? proxy_.port : origin.port, deadline);
  if (!addresses) co_return std::move(addresses).error();
  if (reach_ == Reach::public_only && !std::ranges::all_of(*addresses, is_public)) {
    co_return not_public(origin);
  }
  Result<std::unique_ptr<async::Socket>> socket = no_address(origin);
  for (const async::Address& address : *addresses) {
    socket = co_await async::connect(address, deadline, scope);
    if (socket) break;
    say_where(socket.error(), origin, address);
    if (socket.error().code != ErrorCode::upstream_failed) break;
  }
  co_return socket;
}

Task<Result<void>> Dialer::open_tunnel(async::Socket& socket, const Origin& origin,
                                       base::Deadline deadline) {
  const std::string target = origin.host + ":" + std::to_string(origin.port);
  std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy_.authorization.empty()) {
    request += "Proxy-Authorization: " + proxy_.authorization + "\r\n";
  }
  request += "\r\n";
  iovec part{request.data(), request.size()};
  Result<void> sent = co_await socket.write({&part, 1}, deadline);
  if (!sent) co_return sent;
  std::string answer;
  size_t end = 0;
  while (end == 0 && answer.size() < kMaxHeadBytes) {
    char buffer[1024];
    Result<size_t> n = co_await socket.read(buffer, deadline);
    if (!n) co_return std::move(n).error();
    if (*n == 0) break;
    const size_t had = answer.size();
    answer.append(buffer, *n);
    end = find_head_end(answer, had);
  }
  ResponseHead head;
  if (end == 0 || end != answer.size() || !parse_response_head(answer, Method::head, head) ||
      head.status != 200) {
    co_return Error(
        ErrorCode::upstream_failed, "The upstream could not be reached.",
        "the proxy refused a tunnel to " + target + ", status " + std::to_string(head.status));
  }
  co_return Result<void>();
}

Task<Result<std::shared_ptr<const async::TlsContext>>> Dialer::context_for(
    const Origin& origin, base::Deadline deadline) {
  const auto known = known_contexts_.find(origin.ca_file);
  if (known != known_contexts_.end()) co_return known->second;
  TlsContexts& contexts = contexts_;
  Result<std::shared_ptr<const async::TlsContext>> context = co_await pool_.run(
      [&contexts, file = origin.ca_file] { return trusted(contexts, file); }, deadline);
  if (context) known_contexts_[origin.ca_file] = *context;
  co_return context;
}

Task<Result<std::unique_ptr<async::Socket>>> Dialer::dial(const Origin& origin,
                                                          async::TlsResumption& resumption,
                                                          base::Deadline deadline,
                                                          async::CancelScope& scope) {
  return origin.tls ? connect_tls(origin, resumption, deadline, scope)
                    : connect_tcp(origin, deadline, scope);
}

Task<Result<std::unique_ptr<async::Socket>>> Dialer::connect_tls(const Origin& origin,
                                                                 async::TlsResumption& resumption,
                                                                 base::Deadline deadline,
                                                                 async::CancelScope& scope) {
  Result<std::unique_ptr<async::Socket>> socket = co_await connect_tcp(origin, deadline, scope);
  if (!socket) co_return socket;
  const async::CancelHook hook(scope, &async::Socket::abort_hook, socket->get());
  if (tunnels(origin)) {
    Result<void> tunnel = co_await open_tunnel(**socket, origin, deadline);
    if (!tunnel) co_return std::move(tunnel).error();
  }
  Result<std::shared_ptr<const async::TlsContext>> context = co_await context_for(origin, deadline);
  if (!context) co_return std::move(context).error();
  auto session = async::TlsSession::connect(*context, origin.host, &resumption);
  Result<void> secured = co_await (*socket)->handshake(std::move(session), deadline);
  if (!secured) co_return std::move(secured).error();
  co_return socket;
}

}  // namespace deeppool::http
