#include "async/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <filesystem>

namespace deeppool::async {
namespace {

constexpr size_t kReadAhead = 16 * 1024;

std::string last_error() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof line);
    if (!text.empty()) text += "; ";
    text += line;
  }
  return text.empty() ? "no reason given" : text;
}

// New tickets go to the endpoint's TlsResumption, found through the session's application slot.
int keep_ticket(SSL* ssl, SSL_SESSION* session) {
  auto* resumption = static_cast<TlsResumption*>(SSL_get_app_data(ssl));
  if (resumption == nullptr) return 0;
  resumption->keep(session);
  return 1;
}

SSL_CTX* new_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle connections give their record buffers back.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  return context;
}

bool load_authorities(SSL_CTX* context, const std::string& ca_file) {
  if (ca_file.empty()) return SSL_CTX_set_default_verify_paths(context) == 1;
  // Opening a pipe would wait for its other end, and a device may never end.
  std::error_code missing;
  return std::filesystem::is_regular_file(ca_file, missing) &&
         SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) == 1;
}

}  // namespace

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::server(
    const std::string& certificate_chain_file, const std::string& private_key_file) {
  std::shared_ptr<TlsContext> self(new TlsContext(new_context(TLS_server_method())));
  if (SSL_CTX_use_certificate_chain_file(self->context_, certificate_chain_file.c_str()) != 1) {
    return Error::invalid(
        "server.tls.cert_file",
        "cannot use the certificate chain '" + certificate_chain_file + "': " + last_error());
  }
  if (SSL_CTX_use_PrivateKey_file(self->context_, private_key_file.c_str(), SSL_FILETYPE_PEM) !=
          1 ||
      SSL_CTX_check_private_key(self->context_) != 1) {
    return Error::invalid("server.tls.key_file", "cannot use the private key '" + private_key_file +
                                                     "' with this certificate: " + last_error());
  }
  return std::shared_ptr<const TlsContext>(std::move(self));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const std::string& ca_file) {
  std::shared_ptr<TlsContext> self(new TlsContext(new_context(TLS_client_method())));
  SSL_CTX_set_verify(self->context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(self->context_,
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(self->context_, keep_ticket);
  if (!load_authorities(self->context_, ca_file)) {
    return Error::invalid("ca_file",
                          "cannot load the CA certificates '" + ca_file + "': " + last_error());
  }
  return std::shared_ptr<const TlsContext>(std::move(self));
}

TlsResumption::~TlsResumption() {
  SSL_SESSION_free(session_);
}

void TlsResumption::keep(SSL_SESSION* session) {
  SSL_SESSION_free(session_);
  session_ = session;
}

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, SSL* ssl)
    : context_(std::move(context)), ssl_(ssl) {}

TlsSession::~TlsSession() {
  SSL_set_app_data(ssl_, nullptr);
  SSL_free(ssl_);
}

std::unique_ptr<TlsSession> TlsSession::accept(std::shared_ptr<const TlsContext> context) {
  SSL* ssl = SSL_new(context->raw());
  SSL_set_accept_state(ssl);
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(context), ssl));
}

std::unique_ptr<TlsSession> TlsSession::connect(std::shared_ptr<const TlsContext> context,
                                                const std::string& host,
                                                TlsResumption* resumption) {
  SSL* ssl = SSL_new(context->raw());
  SSL_set_connect_state(ssl);
  SSL_set_app_data(ssl, resumption);
  in6_addr ignored;
  const bool is_ip = inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
                     inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
  if (is_ip) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, host.c_str());
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }
  if (resumption != nullptr && resumption->get() != nullptr) {
    SSL_set_session(ssl, resumption->get());
  }
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(context), ssl));
}

void TlsSession::attach(int fd) {
  SSL_set_fd(ssl_, fd);
}

TlsSession::Progress TlsSession::handshake() {
  ERR_clear_error();
  const int rc = SSL_do_handshake(ssl_);
  if (rc == 1) return Progress::done;
  switch (SSL_get_error(ssl_, rc)) {
    case SSL_ERROR_WANT_READ:
      return Progress::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return Progress::wants_write;
    default:
      return Progress::failed;
  }
}

ssize_t TlsSession::read(std::span<char> out) {
  ERR_clear_error();
  size_t n = 0;
  const int rc = SSL_read_ex(ssl_, out.data(), out.size(), &n);
  if (rc == 1) {
    since_drained_ += n;
    return static_cast<ssize_t>(n);
  }
  switch (SSL_get_error(ssl_, rc)) {
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      since_drained_ = 0;
      return kWouldBlock;
    default:
      return -1;
  }
}

ssize_t TlsSession::write(std::span<const char> data) {
  ERR_clear_error();
  size_t n = 0;
  const int rc = SSL_write_ex(ssl_, data.data(), data.size(), &n);
  if (rc == 1) return static_cast<ssize_t>(n);
  const int reason = SSL_get_error(ssl_, rc);
  return reason == SSL_ERROR_WANT_WRITE || reason == SSL_ERROR_WANT_READ ? kWouldBlock : -1;
}

bool TlsSession::drained() {
  // OpenSSL reads ahead in steps of a full record (16 KiB). While less than half of that has come
  // since the kernel was last empty, no step can have been full, so each of them emptied it.
  if (SSL_has_pending(ssl_) != 0 || since_drained_ >= kReadAhead / 2) return false;
  since_drained_ = 0;
  return true;
}

void TlsSession::say_goodbye() {
  ERR_clear_error();
  SSL_shutdown(ssl_);
}

std::string TlsSession::failure() const {
  const long verify = SSL_get_verify_result(ssl_);
  std::string text = last_error();
  if (verify != X509_V_OK) {
    text += "; certificate: ";
    text += X509_verify_cert_error_string(verify);
  }
  return text;
}

}  // namespace deeppool::async
