#include "apps/platform/program.h"

#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/platform/commands.h"
#include "apps/platform/config.h"
#include "apps/platform/config_text.h"
#include "apps/platform/configured_files.h"
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

// Every caller costs one descriptor and every running request another; the usual soft limit of
// 1,024 is kept low only for programs that still use select(2).
void allow_many_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const Config& config, const std::string& file) {
  allow_many_descriptors();
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

enum class Job {
  serve,
  check_config,
  migrate,
  reset_password,
  list_instances,
  reclaim,
  verify_ledger
};

struct Arguments {
  std::string file;
  bool check = false;
  bool dry_run = false;
  std::string username;  // empty: the one in the configuration
  CLI::App* migrate = nullptr;
  std::string instance;
  CLI::App* reset_password = nullptr;
  CLI::App* list_instances = nullptr;
  CLI::App* reclaim = nullptr;
  std::string journal;  // empty: none
  CLI::App* verify_ledger = nullptr;

  Job job() const {
    if (check) return Job::check_config;
    if (migrate->parsed()) return Job::migrate;
    if (list_instances->parsed()) return Job::list_instances;
    if (reclaim->parsed()) return Job::reclaim;
    if (verify_ledger->parsed()) return Job::verify_ledger;
    return reset_password->parsed() ? Job::reset_password : Job::serve;
  }
};

constexpr const char* kFooter =
    "Without a command it serves until SIGTERM or SIGINT. SIGHUP loads certificates, timeouts and "
    "the log level anew\nand opens the log files again; SIGUSR1 only does the latter.\n\n"
    "Every key of the file can also come from the environment: DEEPPOOL_SERVER__HTTP_ADDR=:9000 is "
    "server.http_addr.\ndocs/configuration.md lists them all; without a file the defaults hold "
    "(SQLite in ./data).\n";

void describe_leases(CLI::App& app, Arguments& a) {
  CLI::App* lease = app.add_subcommand("lease", "what servers that share a database have leased");
  lease->fallthrough();
  lease->require_subcommand(1);
  a.list_instances = lease->add_subcommand("list", "the instances, and whether they are alive");
  a.reclaim = lease->add_subcommand(
      "reclaim",
      "declare an instance lost: the money and tokens it had leased are available again");
  a.reclaim->add_option("instance", a.instance, "as `lease list` shows it")->required();
}

void describe_ledger(CLI::App& app, Arguments& a) {
  CLI::App* ledger = app.add_subcommand("ledger", "the books of all money");
  ledger->fallthrough();
  ledger->require_subcommand(1);
  a.verify_ledger = ledger->add_subcommand(
      "verify", "prove the books, also while the program runs; ends with 1 if they are wrong");
  a.verify_ledger
      ->add_option("--journal", a.journal,
                   "what callers saw complete: lines of request id, prompt and completion tokens")
      ->check(CLI::ExistingFile);
}

void describe(CLI::App& app, Arguments& a) {
  app.add_option("--config", a.file, "configuration file (YAML)")->check(CLI::ExistingFile);
  app.add_flag("--check-config", a.check,
               "say what is wrong with the configuration, or print what is in force, and end");
  app.set_version_flag("--version", std::string("DeepPool ") + kVersion);
  app.fallthrough();
  app.require_subcommand(0, 1);
  a.migrate = app.add_subcommand(
      "migrate", "bring the database to this version's schema; every start does it, too");
  a.migrate->add_flag("--dry-run", a.dry_run, "only say what would be done");
  CLI::App* admin = app.add_subcommand("admin", "what an administrator cannot do over the network");
  admin->fallthrough();
  admin->require_subcommand(1);
  a.reset_password = admin->add_subcommand(
      "reset-password", "print a new password for an administrator and end the account's sessions");
  a.reset_password->add_option(
      "--username", a.username,
      "whose; without it, admin.super_admin.username of the configuration");
  describe_leases(app, a);
  describe_ledger(app, a);
  app.footer(kFooter);  // last, or subcommands would inherit it
}

int do_job(const Arguments& arguments, const Config& config) {
  Result<void> done;
  switch (arguments.job()) {
    case Job::serve:
      return serve(config, arguments.file);
    case Job::check_config:
      if (const auto files = load_files(config); !files) return fail(files.error());
      std::fputs(effective_yaml(config).c_str(), stdout);
      return 0;
    case Job::migrate:
      done = migrate_store(config, arguments.dry_run ? MigrateMode::dry_run : MigrateMode::apply);
      break;
    case Job::verify_ledger: {
      auto right = verify_ledger(config, arguments.journal);
      log::flush();
      if (!right) return fail(right.error());
      return *right ? 0 : 1;
    }
    case Job::reset_password:
      done = reset_admin_password(config, arguments.username.empty()
                                              ? config.admin.super_admin.username
                                              : arguments.username);
      break;
    case Job::list_instances:
      done = list_instances(config);
      break;
    case Job::reclaim:
      done = reclaim_leases(config, arguments.instance);
      break;
  }
  log::flush();
  return done ? 0 : fail(done.error());
}

}  // namespace

int run_program(const std::string& name, int argc, char** argv) {
  CLI::App app("DeepPool: one OpenAI-compatible endpoint in front of every language model.", name);
  Arguments arguments;
  describe(app, arguments);
  CLI11_PARSE(app, argc, argv);
  auto config = load_config(arguments.file, current_environment());
  if (!config) return fail(config.error());
  log::set_level(config->log_level);
  for (const std::string& warning : config->warnings) log::warn(warning);
  return do_job(arguments, *config);
}

}  // namespace deeppool::platform
