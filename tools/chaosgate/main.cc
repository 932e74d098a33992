// The gate as a program: flags, the line that says where it listens, and the end by a signal.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "chaosgate/gate.h"

int main(int argc, char** argv) {
  CLI::App app("A TCP gate that misbehaves on command; see tools/chaosgate/README.md.");
  std::string to;
  uint16_t port = 0;
  app.add_option("--to", to, "IP:PORT of the server behind the gate")->required();
  app.add_option("--port", port, "where to listen on 127.0.0.1; 0: any free port");
  CLI11_PARSE(app, argc, argv);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before the thread: it must not take them
  const auto gate = deeppool::chaos::Gate::start(to, port);
  if (!gate) {
    std::fprintf(stderr, "chaosgate: %s\n", gate.error().message.c_str());
    return 1;
  }
  std::printf("listening on 127.0.0.1:%d control on 127.0.0.1:%d\n", (*gate)->port(),
              (*gate)->control_port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  return 0;
}
