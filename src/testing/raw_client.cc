#include "testing/raw_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/text.h"

namespace deeppool::testing {
namespace {

constexpr int kPatienceMs = 10'000;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

// Takes the chunks off `bytes`; false if they are cut or malformed.
bool take_chunks(std::string_view& bytes, std::string& body) {
  while (true) {
    const size_t line = bytes.find("\r\n");
    if (line == std::string_view::npos) return false;
    size_t size = 0;
    const auto end = std::from_chars(bytes.data(), bytes.data() + line, size, 16).ptr;
    if (end != bytes.data() + line || bytes.size() < line + 2 + size + 2) return false;
    body += bytes.substr(line + 2, size);
    bytes.remove_prefix(line + 2 + size + 2);
    if (size == 0) return true;
  }
}

}  // namespace

RawClient::RawClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    const int code = errno;
    ::close(fd_);
    throw std::runtime_error(std::string("cannot connect: ") + std::strerror(code));
  }
}

RawClient::~RawClient() {
  close();
}

void RawClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void RawClient::half_close() {
  shutdown(fd_, SHUT_WR);
}

void RawClient::reset() {
  const linger hard{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

RawClient::Got RawClient::receive() {
  pollfd ready{fd_, POLLIN, 0};
  if (poll(&ready, 1, kPatienceMs) == 0) return Got::timeout;
  char buffer[65536];
  const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
  if (n < 0) return Got::reset;
  received_.append(buffer, static_cast<size_t>(n));
  return n == 0 ? Got::end : Got::bytes;
}

std::string RawClient::read_to_end() {
  Got got = Got::bytes;
  while (got == Got::bytes) got = receive();
  std::string all = std::exchange(received_, {});
  if (got == Got::reset) all += "(reset)";
  if (got == Got::timeout) all += "(timeout)";
  return all;
}

std::string RawClient::read_until(std::string_view text) {
  while (received_.find(text) == std::string::npos) {
    if (receive() != Got::bytes) return std::exchange(received_, {});
  }
  const size_t end = received_.find(text) + text.size();
  std::string taken = received_.substr(0, end);
  received_.erase(0, end);
  return taken;
}

std::string RawAnswer::header(std::string_view name) const {
  for (std::string_view line : base::split(head, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (base::iequals(line.substr(0, colon), name)) {
      return std::string(base::trim(line.substr(colon + 1)));
    }
  }
  return "";
}

std::vector<RawAnswer> parse_answers(std::string_view bytes) {
  std::vector<RawAnswer> answers;
  while (!bytes.empty()) {
    RawAnswer& a = answers.emplace_back();
    const size_t end = bytes.find(kHeadEnd);
    if (end == std::string_view::npos || !bytes.starts_with("HTTP/1.1 ")) {
      a.broken = true;
      a.body = bytes;
      return answers;
    }
    a.head = bytes.substr(0, end + kHeadEnd.size());
    bytes.remove_prefix(a.head.size());
    a.status = base::parse_int<int>(std::string_view(a.head).substr(9, 3)).value_or(0);
    if (a.header("Transfer-Encoding") == "chunked") {
      a.broken = !take_chunks(bytes, a.body);
    } else {
      const size_t length = base::parse_int<size_t>(a.header("Content-Length")).value_or(0);
      a.broken = bytes.size() < length;
      a.body = bytes.substr(0, length);
      bytes.remove_prefix(a.body.size());
    }
    if (a.broken) return answers;
  }
  return answers;
}

}  // namespace deeppool::testing
