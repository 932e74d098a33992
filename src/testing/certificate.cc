#include "testing/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>

namespace deeppool::testing {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using File = std::unique_ptr<FILE, decltype(&fclose)>;

constexpr long kOneDay = 86400;

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("no certificate: ") + what);
}

void extend(X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  must(extension != nullptr, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make_certificate(EVP_PKEY* key) {
  Certificate c(X509_new(), X509_free);
  X509_set_version(c.get(), 2);  // counts from 0: version 3
  ASN1_INTEGER_set(X509_get_serialNumber(c.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(c.get()), -kOneDay);
  X509_gmtime_adj(X509_getm_notAfter(c.get()), kOneDay);
  X509_set_pubkey(c.get(), key);
  X509_NAME* name = X509_get_subject_name(c.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(c.get(), name);
  extend(c.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  extend(c.get(), NID_basic_constraints, "critical,CA:TRUE");
  must(X509_sign(c.get(), key, EVP_sha256()) != 0, "signing");
  return c;
}

File create(const std::string& path) {
  File file(std::fopen(path.c_str(), "w"), fclose);
  must(file != nullptr, path.c_str());
  return file;
}

}  // namespace

SelfSignedCertificate::SelfSignedCertificate() {
  std::string name = (std::filesystem::temp_directory_path() / "deeppool_tls_XXXXXX").string();
  must(mkdtemp(name.data()) != nullptr, "temporary directory");
  directory_ = name;
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  must(key != nullptr, "key");
  const Certificate certificate = make_certificate(key.get());
  must(PEM_write_X509(create(certificate_file()).get(), certificate.get()) == 1, "writing");
  const File out = create(key_file());
  must(PEM_write_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "writing the key");
}

SelfSignedCertificate::~SelfSignedCertificate() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace deeppool::testing
