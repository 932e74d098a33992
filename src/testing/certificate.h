// A self-signed certificate for 127.0.0.1 and localhost, made on the spot and gone with the object:
// TLS tests need no files in the tree and cannot expire.
#pragma once

#include <string>

namespace deeppool::testing {

class SelfSignedCertificate {
 public:
  SelfSignedCertificate();  // throws std::runtime_error if it cannot be made
  ~SelfSignedCertificate();
  SelfSignedCertificate(const SelfSignedCertificate&) = delete;
  SelfSignedCertificate& operator=(const SelfSignedCertificate&) = delete;
  // PEM files; the certificate is its own authority.
  std::string certificate_file() const { return directory_ + "/certificate.pem"; }
  std::string key_file() const { return directory_ + "/key.pem"; }

 private:
  std::string directory_;
};

}  // namespace deeppool::testing
