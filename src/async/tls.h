// TLS contexts and sessions over OpenSSL. A TlsContext is built once per configuration, is
// immutable and shared by all loops; a TlsSession belongs to one Socket. Clients always verify the
// chain and the name.
#pragma once

#include <sys/types.h>

#include <memory>
#include <span>
#include <string>

#include "base/error.h"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;
typedef struct ssl_session_st SSL_SESSION;

namespace deeppool::async {

class TlsContext {
 public:
  // TLS 1.2 and later. Errors: invalid_request that names the file and what is wrong with it.
  static Result<std::shared_ptr<const TlsContext>> server(const std::string& certificate_chain_file,
                                                          const std::string& private_key_file);
  // `ca_file` empty: the system's store.
  static Result<std::shared_ptr<const TlsContext>> client(const std::string& ca_file);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  SSL_CTX* raw() const { return context_; }

 private:
  explicit TlsContext(SSL_CTX* context) : context_(context) {}
  SSL_CTX* context_;
};

// A session ticket that a later connection to the same endpoint resumes. Loop-local.
class TlsResumption {
 public:
  TlsResumption() = default;
  ~TlsResumption();
  TlsResumption(const TlsResumption&) = delete;
  TlsResumption& operator=(const TlsResumption&) = delete;
  void keep(SSL_SESSION* session);  // takes it
  SSL_SESSION* get() const { return session_; }

 private:
  SSL_SESSION* session_ = nullptr;
};

class TlsSession {
 public:
  static std::unique_ptr<TlsSession> accept(std::shared_ptr<const TlsContext> context);
  // `host`: a name (sent as SNI and verified) or an IP literal (verified). `resumption` may be null
  // and must outlive the session.
  static std::unique_ptr<TlsSession> connect(std::shared_ptr<const TlsContext> context,
                                             const std::string& host, TlsResumption* resumption);
  ~TlsSession();

  void attach(int fd);
  enum class Progress { done, wants_read, wants_write, failed };
  Progress handshake();
  static constexpr ssize_t kWouldBlock = -2;
  // Bytes read; 0 at an orderly end; kWouldBlock; -1 on failure (an end without close_notify is
  // one).
  ssize_t read(std::span<char> out);
  // Bytes taken (perhaps fewer than given), kWouldBlock or -1. After kWouldBlock come again with
  // the same bytes.
  ssize_t write(std::span<const char> data);
  // After a read that brought bytes: true when nothing more can be waiting, neither here nor in the
  // kernel.
  bool drained();
  void say_goodbye();  // close_notify, best effort
  // Why the last operation failed, from OpenSSL's queue; for the log.
  std::string failure() const;

 private:
  TlsSession(std::shared_ptr<const TlsContext> context, SSL* ssl);
  std::shared_ptr<const TlsContext> context_;
  SSL* ssl_;
  size_t since_drained_ = 0;  // bytes read since the kernel was last seen empty
};

}  // namespace deeppool::async
