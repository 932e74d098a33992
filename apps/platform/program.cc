#include "apps/platform/program.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/platform/config.h"
#include "apps/platform/config_text.h"
#include "apps/platform/notify.h"
#include "apps/platform/services.h"
#include "base/log.h"

namespace deeppool::platform {
namespace {

int fail(const Error& error) {
  log::flush();
  std::fprintf(stderr, "error: %s\n", error.message.c_str());
  if (!error.detail.empty()) std::fprintf(stderr, "  %s\n", error.detail.c_str());
  return 1;
}

// Signals are taken by the main thread alone; every thread inherits the mask.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, s);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

// The old configuration stays in force unless all of the new one is sound.
void reload(Services& services, const std::string& file, const ServiceNotifier& systemd) {
  systemd.reloading();
  auto fresh = load_config(file, current_environment());
  Result<void> done = fresh ? services.reload(*fresh) : Result<void>(std::move(fresh).error());
  if (done) {
    log::info("configuration reloaded");
  } else {
    log::error("configuration not reloaded", {{"reason", done.error().message}});
  }
  systemd.ready();
}

// Until SIGTERM or SIGINT.
void obey_signals(const sigset_t& signals, Services& services, const std::string& file,
                  const ServiceNotifier& systemd) {
  while (true) {
    int number = 0;
    sigwait(&signals, &number);
    if (number == SIGHUP) reload(services, file, systemd);
    if (number == SIGHUP || number == SIGUSR1) {
      services.reopen_logs();
      continue;
    }
    log::info("stopping", {{"signal", number}});
    return;
  }
}

int serve(const Config& config, const std::string& file) {
  const sigset_t signals = block_signals();
  auto services = Services::start(config);
  if (!services) return fail(services.error());
  if (Result<void> serving = (*services)->serve(); !serving) return fail(serving.error());
  log::info("serving", {{"http", config.server.http_addr}});
  const ServiceNotifier systemd(current_environment());
  systemd.ready();
  obey_signals(signals, **services, file, systemd);
  systemd.stopping();
  services->reset();
  log::info("stopped");
  log::flush();
  return 0;
}

}  // namespace

int run_program(const std::string& name, int argc, char** argv) {
  CLI::App app("DeepPool: one OpenAI-compatible endpoint in front of every language model.", name);
  std::string file;
  bool check = false;
  app.add_option("--config", file, "configuration file (YAML)")->check(CLI::ExistingFile);
  app.add_flag("--check-config", check, "read the configuration, say what is wrong, and end");
  app.set_version_flag("--version", std::string("DeepPool ") + kVersion);
  CLI11_PARSE(app, argc, argv);
  auto config = load_config(file, current_environment());
  if (!config) return fail(config.error());
  log::set_level(config->log_level);
  for (const std::string& warning : config->warnings) log::warn(warning);
  if (check) {
    std::fputs(effective_yaml(*config).c_str(), stdout);
    return 0;
  }
  return serve(*config, file);
}

}  // namespace deeppool::platform
