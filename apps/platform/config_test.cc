#include "apps/platform/config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "apps/platform/config_keys.h"
#include "apps/platform/config_text.h"
#include "apps/platform/near_miss.h"

namespace deeppool::platform {
namespace {

std::string problem(std::string_view yaml, const Environment& environment = {}) {
  const auto config = parse_config(yaml, "c.yaml", environment);
  return config ? "" : config.error().message;
}

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Config, HasDefaultsWithoutAFile) {
  const auto config = load_config("", {});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.http_addr, ":8080");
  EXPECT_FALSE(config->mysql);
  EXPECT_EQ(config->stream_timeouts.first_token, seconds(10));
  EXPECT_EQ(config->stream_timeouts.inter_chunk_idle, seconds(20));
  EXPECT_TRUE(config->warnings.empty());
}

TEST(Config, ReadsEveryKind) {
  const auto config = parse_config(R"(
server: {http_addr: "127.0.0.1:9", loops: 3, trusted_proxies: [10.0.0.0/8, "::1"]}
mysql:
  password: 0123
  tls: required
  ca_file: /ca.pem
stream_timeouts: {first_token_timeout_seconds: 7}
spool: {allow_volatile: true}
log_level:
)",
                                   "c.yaml", {});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.http_addr, "127.0.0.1:9");
  EXPECT_EQ(config->server.loops, 3);
  EXPECT_EQ(config->server.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
  ASSERT_TRUE(config->mysql);
  EXPECT_EQ(config->mysql->password, "0123");  // text as written, not a number
  EXPECT_EQ(config->mysql->port, 3306);
  EXPECT_EQ(config->stream_timeouts.first_token, seconds(7));
  EXPECT_TRUE(config->spool.allow_volatile);
  EXPECT_EQ(config->log_level, "info");
}

TEST(Config, SaysWhereAndWhatWasExpected) {
  const struct {
    const char* name;
    std::string yaml;
    std::string message;
  } cases[] = {
      {"unknown key", "server:\n  http_adr: x\n",
       "c.yaml:2: unknown key \"server.http_adr\"; did you mean \"server.http_addr\"?"},
      {"unknown section", "a: 1\nsevrer: {tls: {enabled: true}}\n",
       "c.yaml:1: unknown key \"a\"\nc.yaml:2: unknown key \"sevrer\"; did you mean \"server\"?"},
      {"wrong section", "http_addr: ':1'\n",
       "c.yaml:1: unknown key \"http_addr\"; did you mean \"server.http_addr\"?"},
      {"not a number", "server: {loops: many}\n",
       "c.yaml:1: server.loops: expected a whole number from 0 to 256, got \"many\""},
      {"a fraction", "server: {drain_grace_seconds: 1.5}\n",
       "c.yaml:1: server.drain_grace_seconds: expected whole seconds from 0 to 3600, got \"1.5\""},
      {"out of range", "\n\nstream_timeouts: {first_token_timeout_seconds: 0}\n",
       "c.yaml:3: stream_timeouts.first_token_timeout_seconds: expected whole seconds from 1 to "
       "600, got \"0\""},
      {"not a truth", "spool: {allow_volatile: yes}\n",
       "c.yaml:1: spool.allow_volatile: expected true or false, got \"yes\""},
      {"not a choice", "log_level: loud\n",
       "c.yaml:1: log_level: expected one of debug, info, warn, error, off, got \"loud\""},
      {"bad address", "server: {http_addr: '8080'}\n",
       "c.yaml:1: server.http_addr: expected an address like \":8080\", \"127.0.0.1:8080\" or "
       "\"[::1]:8080\", got \"8080\""},
      {"a section for a value", "log_level: {a: 1}\n",
       "c.yaml:1: log_level: expected one of debug, info, warn, error, off, got a section"},
      {"a list for a value", "data_dir: [a]\n",
       "c.yaml:1: data_dir: expected a directory, got a list"},
      {"a value for a section", "server: 8080\n", "c.yaml:1: server: expected a section of keys"},
      {"a value for a list", "server: {trusted_proxies: 10.0.0.1}\n",
       "c.yaml:1: server.trusted_proxies: expected a list of addresses or blocks like 127.0.0.1 "
       "or 10.0.0.0/8"},
      {"a bad item", "server: {trusted_proxies: [nginx]}\n",
       "c.yaml:1: server.trusted_proxies: expected a list of addresses or blocks like 127.0.0.1 "
       "or 10.0.0.0/8"},
      {"an empty mysql", "mysql:\n",
       "c.yaml:1: mysql: expected keys; leave the line out to use SQLite"},
      {"a secret is not repeated", "admin: {api_key_encryption_key: hunter2hunter2}\n",
       "c.yaml:1: admin.api_key_encryption_key: expected 64 hexadecimal digits"},
      {"given twice", "log_level: info\nlog_level: warn\n",
       "c.yaml: line 2: the key 'log_level' is given twice"},
      {"an alias", "data_dir: &a x\nlog_level: *a\n",
       "c.yaml: line 1: anchors (&name) are not supported"},
      {"two documents", "log_level: info\n---\nlog_level: warn\n",
       "c.yaml: line 2: the file holds a second document; one is allowed"},
      {"no map", "hello\n", "c.yaml: line 1: expected keys and values, like \"log_level: info\""},
      {"tls without files", "server: {tls: {enabled: true}}\n",
       "c.yaml:1: server.tls.enabled: expected cert_file and key_file beside it"},
      {"ca without verification", "mysql: {ca_file: /x}\n",
       "c.yaml:1: mysql.ca_file: expected mysql.tls to be \"required\"; without it no certificate "
       "is checked"},
      {"a Redis URL is not repeated", "redis: {url: 'redis://secret@cache'}\n",
       "c.yaml:1: redis.url: expected a URL like redis://user:password@host:6379/0"},
      {"no username", "admin: {super_admin: {username: 'a b'}}\n",
       "c.yaml:1: admin.super_admin.username: expected 2 to 32 letters, digits, dots, underscores "
       "or hyphens, a letter or digit first, got \"a b\""},
      {"no e-mail address", "admin: {super_admin: {email: foo}}\n",
       "c.yaml:1: admin.super_admin.email: expected an e-mail address, got \"foo\""},
      {"no phone", "admin: {super_admin: {phone: foo}}\n",
       "c.yaml:1: admin.super_admin.phone: expected at most 32 digits, spaces and + - ( ), got "
       "\"foo\""},
      {"the username as password",
       "admin:\n  super_admin:\n    username: operator\n    password: Operator\n",
       "c.yaml:4: admin.super_admin.password: expected another than the username"},
      {"a later section with a value", "web: 3\n", "c.yaml:1: web: expected a section of keys"},
      {"a later list with a value", "admin: {node_managers: 3}\n",
       "c.yaml:1: admin.node_managers: expected a list"},
      {"a later text with a list", "admin: {internal_token: [a]}\n",
       "c.yaml:1: admin.internal_token: expected text"},
      {"a control character", "data_dir: \"a\\nb\"\n",
       "c.yaml:1: data_dir: expected a directory, got \"a\\nb\""},
  };
  for (const auto& c : cases) EXPECT_EQ(problem(c.yaml), c.message) << c.name;
}

TEST(Config, RefusesWhatIsNotYamlAndWhatIsTooDeepOrTooLarge) {
  EXPECT_NE(problem("server: {\n"), "");
  EXPECT_NE(problem("a: [b\n").find("not valid YAML"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "{a: ";
  EXPECT_NE(problem(deep), "");
  EXPECT_NE(problem("web: {a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}}").find("nested too deeply"),
            std::string::npos);
  EXPECT_NE(problem(std::string(300 * 1024, '#')).find("too large"), std::string::npos);
}

TEST(Config, CollectsProblemsAndBoundsThem) {
  std::string yaml;
  for (int i = 0; i < 100; ++i) yaml += "zzzzzz" + std::to_string(i) + ": 1\n";
  const std::string all = problem(yaml);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 19);
}

TEST(Config, WarnsOfKeysOfLaterVersions) {
  const auto config = parse_config(
      "web: {control_dir: x}\nadmin:\n  node_managers: [{name: n, addr: 'a:1'}]\n"
      "  payment: {wechat: {a: {b: 1}}}\nserver: {grpc_addr: ':9090'}\n",
      "c.yaml", {{"DEEPPOOL_WEB__PORTAL_DIR", "x"}});
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->warnings.size(), 5u);
  EXPECT_EQ(config->warnings[0], "c.yaml:1: web (the web consoles) is not used by this version");
  EXPECT_EQ(config->warnings[1].substr(0, 29), "c.yaml:3: admin.node_managers");
}

TEST(Config, EnvironmentWinsOverTheFile) {
  const auto config = parse_config("server: {http_addr: ':1'}\nlog_level: warn\n", "c.yaml",
                                   {{"DEEPPOOL_SERVER__HTTP_ADDR", ":2"},
                                    {"DEEPPOOL_LOG_LEVEL", "error"},
                                    {"DEEPPOOL_SERVER__TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8"},
                                    {"DEEPPOOL_MYSQL__PASSWORD", "pw"},
                                    {"DEEPPOOL_TEST_ANYTHING", "1"},
                                    {"DEEPPOOL_CRASH_AT", "here"},
                                    {"PATH", "/bin"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.http_addr, ":2");
  EXPECT_EQ(config->log_level, "error");
  EXPECT_EQ(config->server.trusted_proxies.size(), 2u);
  ASSERT_TRUE(config->mysql);
  EXPECT_EQ(config->mysql->password, "pw");
}

TEST(Config, NamesTheVariableAtFault) {
  EXPECT_EQ(problem("", {{"DEEPPOOL_SERVER__LOOPS", "x"}}),
            "environment variable DEEPPOOL_SERVER__LOOPS: server.loops: expected a whole number "
            "from 0 to 256, got \"x\"");
  EXPECT_EQ(problem("", {{"DEEPPOOL_SERVER__HTTPADDR", ":1"}}),
            "environment variable DEEPPOOL_SERVER__HTTPADDR: unknown key \"server.httpaddr\"; did "
            "you mean \"DEEPPOOL_SERVER__HTTP_ADDR\"?");
  EXPECT_EQ(problem("", {{"DEEPPOOL_WEB", "x"}}),
            "environment variable DEEPPOOL_WEB: web: expected a section of keys");
  EXPECT_NE(problem("", {{"HTTPS_PROXY", "socks5://a:1"}}), "");
}

TEST(Config, ReadsTheProxy) {
  const auto config =
      parse_config("", "c.yaml", {{"https_proxy", "http://p:3128"}, {"NO_PROXY", "a.example"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->proxy.host, "p");
  EXPECT_EQ(config->proxy.port, 3128);
}

TEST(Config, PrintsWhatIsInForceWithSecretsMasked) {
  const auto config = parse_config(
      "mysql: {password: hunter2, readers: 9}\nmetrics: {token: 0123456789abcdef}\n"
      "server: {trusted_proxies: ['10.0.0.0/8']}\n",
      "c.yaml", {});
  ASSERT_TRUE(config) << config.error().message;
  const std::string printed = effective_yaml(*config);
  EXPECT_EQ(printed.find("hunter2"), std::string::npos);
  EXPECT_EQ(printed.find("0123456789abcdef"), std::string::npos);
  EXPECT_NE(printed.find("password: \"***\""), std::string::npos);
  EXPECT_NE(printed.find("  readers: 9\n"), std::string::npos);
  EXPECT_NE(printed.find("  super_admin:\n    username: \"admin\"\n"), std::string::npos);
}

TEST(Config, WhatIsPrintedIsReadBackTheSame) {
  const auto config = parse_config(
      "mysql: {user: 'a\"b'}\nserver: {trusted_proxies: ['10.0.0.0/8', '::1'], loops: 2}\n",
      "c.yaml", {});
  ASSERT_TRUE(config) << config.error().message;
  const std::string printed = effective_yaml(*config);
  const auto again = parse_config(printed, "again.yaml", {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(effective_yaml(*again), printed);
}

TEST(Config, WarnsOfAFileWithSecretsThatEverybodyReads) {
  const std::string path = ::testing::TempDir() + "config_test_" + std::to_string(getpid());
  std::ofstream(path) << "mysql: {password: x}\n";
  chmod(path.c_str(), 0644);
  auto config = load_config(path, {});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->warnings.size(), 1u);
  chmod(path.c_str(), 0600);
  config = load_config(path, {});
  EXPECT_TRUE(config->warnings.empty());
  std::filesystem::remove(path);
}

TEST(Config, SaysWhyAFileCannotBeRead) {
  const auto missing = load_config("/nonexistent/x.yaml", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "/nonexistent/x.yaml: cannot be read: No such file or directory");
  EXPECT_FALSE(load_config("/", {}));
}

TEST(Config, SamplesLoad) {
  for (const char* sample : {"manager.yaml", "deeppool.yaml"}) {
    const auto config = load_config(std::string(DEEPPOOL_SOURCE_DIR "/config/") + sample, {});
    EXPECT_TRUE(config) << config.error().message;
  }
}

TEST(ConfigKeys, TheTableIsSound) {
  for (const ConfigKey& key : config_keys()) {
    EXPECT_EQ(find_key(key.path), &key) << key.path << " is there twice";
    EXPECT_FALSE(key.help.empty()) << key.path;
    EXPECT_FALSE(is_section(key.path)) << key.path;
    EXPECT_EQ(find_later_key(key.path), nullptr) << key.path;
    Config config;
    const bool number = std::holds_alternative<Place<int64_t>>(key.slot) ||
                        std::holds_alternative<Place<seconds>>(key.slot);
    if (!number) continue;
    EXPECT_TRUE(set_scalar(key, config, std::to_string(key.min))) << key.path;
    EXPECT_TRUE(set_scalar(key, config, std::to_string(key.max))) << key.path;
    EXPECT_FALSE(set_scalar(key, config, std::to_string(key.max + 1))) << key.path;
  }
  // Defaults satisfy their own rules.
  const auto config = load_config("", {});
  ASSERT_TRUE(parse_config(effective_yaml(*config), "defaults", {}));
}

TEST(ConfigKeys, AReloadNamesWhatWaitsForARestart) {
  const Config running = *load_config("", {});
  Config fresh = running;
  EXPECT_TRUE(waiting_for_restart(running, fresh).empty());
  fresh.log_level = "debug";
  fresh.stream_timeouts.first_token = seconds(7);
  EXPECT_TRUE(waiting_for_restart(running, fresh).empty());
  fresh.metrics.token = "0123456789abcdef";
  fresh.limits.request_body_mib += 1;
  EXPECT_EQ(waiting_for_restart(running, fresh),
            (std::vector<std::string_view>{"limits.request_body_mib", "metrics.token"}));
  fresh = running;
  fresh.mysql.emplace();
  EXPECT_EQ(waiting_for_restart(running, fresh), std::vector<std::string_view>{"mysql"});
}

TEST(ConfigReference, IsCurrent) {
  const std::string path = DEEPPOOL_SOURCE_DIR "/docs/configuration.md";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << configuration_reference();
  EXPECT_EQ(read_text(path), configuration_reference()) << "run with UPDATE_GOLDEN=1";
}

TEST(NearMiss, CountsSlips) {
  EXPECT_EQ(edit_distance("server", "server", 3), 0u);
  EXPECT_EQ(edit_distance("server", "sevrer", 3), 1u);
  EXPECT_EQ(edit_distance("loops", "loop", 3), 1u);
  EXPECT_EQ(edit_distance("abc", "xyz", 2), 3u);
  EXPECT_EQ(edit_distance("", "ab", 3), 2u);
  EXPECT_EQ(nearest_key("completely_else"), std::nullopt);
  EXPECT_EQ(nearest_key("mysql.hots"), "mysql.host");
}

}  // namespace
}  // namespace deeppool::platform
