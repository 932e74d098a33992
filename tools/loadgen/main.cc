// The load generator as a program: flags, one run, a report.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>

#include "loadgen/engine.h"

namespace {

using deeppool::load::Engine;
using deeppool::load::RequestText;
using deeppool::load::Settings;

void add_target_flags(CLI::App& app, Settings& s) {
  app.add_option("--url", s.url, "http://IPV4:PORT/PATH")->capture_default_str();
  app.add_option("--model", s.model, "of the request that is made")->capture_default_str();
  app.add_option("--key", s.key, "sent as a bearer token");
  auto* file = app.add_option("--body", s.body_file, "request body; NONCE in it is replaced");
  app.add_option("--body-size", s.body_size, "bytes of the request made instead")
      ->excludes(file)
      ->check(CLI::Range(0, 64 << 20))
      ->capture_default_str();
  app.add_flag("--stream", s.stream, "ask for a stream, with usage");
  app.add_option("--max-tokens", s.max_tokens, "0: not sent");
}

void add_load_flags(CLI::App& app, Settings& s) {
  app.add_option("--connections", s.connections, "closed loop: that many busy; open: at most")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--rate", s.rate, "requests per second (open loop); 0: closed loop");
  app.add_option("--duration", s.duration, "seconds measured")->capture_default_str();
  app.add_option("--warmup", s.warmup, "seconds before, not measured");
  app.add_option("--grace", s.grace, "seconds that running requests get at the end")
      ->capture_default_str();
  app.add_option("--requests", s.requests, "stop after so many; 0: no bound");
  app.add_option("--retries", s.retries, "per request, on what an SDK retries");
  app.add_option("--idle", s.idle, "further connections, opened and left alone");
  app.add_option("--abort", s.abort, "share of requests that are cut")->check(CLI::Range(0.0, 1.0));
  app.add_option("--abort-span", s.abort_span, "cut at a random byte of the answer up to this")
      ->capture_default_str();
  app.add_option("--read-rate", s.read_rate, "bytes per second and connection; -1: all there is");
  app.add_flag("--nonce", s.nonce, "each request carries a nonce that its answer must contain");
  app.add_option("--seed", s.seed, "of nonces and cuts; also part of request ids")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 22))
      ->capture_default_str();
}

void add_output_flags(CLI::App& app, Settings& s) {
  app.add_option("--watch-pid", s.watch_pid, "process whose CPU and memory are measured");
  app.add_option("--journal", s.journal, "append one JSON line per attempt to this file");
  app.add_option("--json", s.json, "write the report to this file");
}

int fail(const deeppool::Error& error) {
  std::fprintf(stderr, "loadgen: %s\n", error.message.c_str());
  return 2;
}

void allow_many_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Load for an OpenAI-like server: closed loop, or open loop at a constant rate.");
  Settings settings;
  add_target_flags(app, settings);
  add_load_flags(app, settings);
  add_output_flags(app, settings);
  CLI11_PARSE(app, argc, argv);
  const auto target = deeppool::load::parse_url(settings.url);
  if (!target) return fail(target.error());
  auto text = RequestText::from(settings, *target);
  if (!text) return fail(text.error());
  allow_many_descriptors();
  prctl(PR_SET_TIMERSLACK, 1);  // arrivals at their time, not up to 50 us later
  Engine engine(settings, *target, *std::move(text));
  if (const auto opened = engine.open_journal(); !opened) return fail(opened.error());
  const auto report = engine.run();
  std::fputs(report.to_text().c_str(), stdout);
  if (!settings.json.empty()) std::ofstream(settings.json) << report.to_json() << '\n';
  return report.foreign_nonces + report.missing_nonces > 0 ? 1 : 0;
}
