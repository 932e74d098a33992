// Any bytes as a configuration file: no crash, no hang, and what is accepted prints and reads back
// the same.
#include <cstdlib>

#include "apps/platform/config_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deeppool::platform;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = parse_config(text, "fuzz", {});
  if (!config) {
    if (config.error().message.empty()) std::abort();
    return 0;
  }
  const std::string printed = effective_yaml(*config);
  if (printed.find("***") != std::string::npos) return 0;  // masked secrets do not read back
  const auto again = parse_config(printed, "printed", {});
  if (!again || effective_yaml(*again) != printed) std::abort();
  return 0;
}
