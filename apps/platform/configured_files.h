// The files that a configuration names, read and checked: --check-config ends with this and a start
// begins with it, so that what the one accepts the other can use, and nothing is made before a
// mistake is found. Blocking.
#pragma once

#include <memory>
#include <string>

#include "apps/platform/config.h"
#include "async/tls.h"
#include "llm/tokenizer/tokenizer.h"

namespace deeppool::platform {

struct ConfiguredFiles {
  std::shared_ptr<const async::TlsContext> tls;        // null without server.tls
  std::shared_ptr<const async::TlsContext> redis_tls;  // null without rediss://
  llm::Tokenizers tokenizers;
  std::string default_policy;  // empty: none
};

// invalid_request: the message says where the key stands and what is wrong with its file.
Result<ConfiguredFiles> load_files(const Config& config);
// Only the certificate, which a reload takes over.
Result<std::shared_ptr<const async::TlsContext>> server_tls(const Config& config);

}  // namespace deeppool::platform
