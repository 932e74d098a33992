// What the platform's binaries share: flags, signals, the way from a configuration to a running
// program.
#pragma once

#include <string>

namespace deeppool::platform {

// Runs a server program until SIGTERM or SIGINT; returns its exit code. `name` is for --help.
int run_program(const std::string& name, int argc, char** argv);

}  // namespace deeppool::platform
