// The mock upstream as a program: flags, signals, and the line that says where it listens.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "mock_upstream/server.h"

namespace {

using deeppool::mock::Behaviour;
using deeppool::mock::MockServer;

void print_behaviours() {
  for (const auto table :
       {deeppool::mock::stream_behaviours(), deeppool::mock::content_behaviours(),
        deeppool::mock::http_behaviours()}) {
    for (const Behaviour& row : table) {
      std::printf("mock-%-20s %s\n", std::string(row.name).c_str(), std::string(row.what).c_str());
    }
  }
}

// Blocks the ending signals for all threads that come, and waits for one.
class EndSignal {
 public:
  EndSignal() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  void wait() {
    int signal = 0;
    sigwait(&set_, &signal);
  }

 private:
  sigset_t set_{};
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("An OpenAI-like server whose behaviour the model's name chooses.");
  MockServer::Settings settings;
  bool list = false;
  app.add_option("--host", settings.host, "IP address to listen on")->capture_default_str();
  app.add_option("--port", settings.port, "0: any free port")->capture_default_str();
  app.add_option("--threads", settings.threads, "event loops")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--journal", settings.journal, "append one JSON line per request to this file");
  auto* cert = app.add_option("--tls-cert", settings.tls_certificate, "PEM chain; serves TLS");
  app.add_option("--tls-key", settings.tls_key, "PEM key")->needs(cert);
  app.add_flag("--list", list, "print the behaviours and exit");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    print_behaviours();
    return 0;
  }
  EndSignal end;
  auto server = MockServer::start(settings);
  if (!server) {
    std::fprintf(stderr, "mock_upstream: %s\n", server.error().message.c_str());
    return 1;
  }
  std::printf("listening on %s:%d\n", settings.host.c_str(), (*server)->port());
  std::fflush(stdout);
  end.wait();
  return 0;
}
