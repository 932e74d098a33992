// What a configuration looks like in words: the effective values for --check-config, and the
// reference for docs/configuration.md. Pure.
#pragma once

#include <string>

#include "apps/platform/config.h"

namespace deeppool::platform {

// YAML that parse_config reads back; secrets that are set show as "***".
std::string effective_yaml(const Config& config);

// docs/configuration.md, made from the table of keys.
std::string configuration_reference();

}  // namespace deeppool::platform
