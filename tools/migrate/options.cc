#include "options.h"

#include <yaml-cpp/yaml.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>

#include "base/text.h"
#include "sql/sqlite/sqlite_database.h"

namespace deeppool::migrate {
namespace {

// One setting of the store: its flag, its environment variable and its place in the file.
struct Setting {
  const char* flag;
  const char* variable;
  const char* key;  // below `mysql`, or `data_dir` itself
  const char* description;
};
constexpr Setting kSettings[] = {
    {"--host", "DEEPPOOL_MYSQL__HOST", "host", "MySQL or MariaDB server"},
    {"--port", "DEEPPOOL_MYSQL__PORT", "port", "its port (3306)"},
    {"--socket", "DEEPPOOL_MYSQL__SOCKET", "socket", "its Unix socket, instead of host and port"},
    {"--user", "DEEPPOOL_MYSQL__USER", "user", "user name"},
    {"--password", "DEEPPOOL_MYSQL__PASSWORD", "password",
     "shows in the process list: prefer the variable"},
    {"--database", "DEEPPOOL_MYSQL__DATABASE", "database", "name of the database"},
    {"--tls", "DEEPPOOL_MYSQL__TLS", "tls", "off, preferred or required"},
    {"--ca-file", "DEEPPOOL_MYSQL__CA_FILE", "ca_file", "certificates to trust, PEM"},
};
constexpr Setting kDataDir = {"--data-dir", "DEEPPOOL_DATA_DIR", "data_dir",
                              "SQLite: the directory of deeppool.db"};

// Values by key, "" if nobody set it.
using Values = std::map<std::string, std::string>;

Result<void> read_file(const std::string& path, Values& values) {
  try {
    const YAML::Node root = YAML::LoadFile(path);
    if (root["data_dir"]) values["data_dir"] = root["data_dir"].as<std::string>();
    const YAML::Node mysql = root["mysql"];
    for (const Setting& setting : kSettings) {
      if (mysql && mysql[setting.key]) values[setting.key] = mysql[setting.key].as<std::string>();
    }
    return {};
  } catch (const YAML::Exception& e) {
    return Error::invalid("--config", path + ": " + e.what());
  }
}

void read_environment(const Setting& setting, Values& values) {
  if (const char* value = std::getenv(setting.variable)) values[setting.key] = value;
}

Result<sql::TlsPolicy> parse_tls(const std::string& text) {
  if (text == "off") return sql::TlsPolicy::off;
  if (text.empty() || text == "preferred") return sql::TlsPolicy::preferred;
  if (text == "required") return sql::TlsPolicy::required;
  return Error::invalid("--tls", "mysql.tls is off, preferred or required, not '" + text + "'");
}

Result<void> fill_mysql(Values& values, sql::MysqlOptions& mysql) {
  const auto set = [&](const char* key, std::string& field) {
    if (!values[key].empty()) field = values[key];
  };
  set("host", mysql.host);
  set("socket", mysql.socket);
  set("user", mysql.user);
  set("password", mysql.password);
  set("database", mysql.database);
  set("ca_file", mysql.ca_file);
  if (!values["port"].empty()) {
    const auto port = base::parse_int<uint16_t>(values["port"]);
    if (!port) return Error::invalid("--port", "mysql.port is a number from 1 to 65535");
    mysql.port = *port;
  }
  DP_TRY(mysql.tls, parse_tls(values["tls"]));
  return {};
}

std::string quoted(const std::string& word) {
  if (!word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_-+=./:@%,") == std::string::npos) {
    return word;
  }
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

// The same command again, to which --from can be added.
std::string command_line(int argc, char** argv) {
  const char* name = std::getenv("DEEPPOOL_MIGRATE_COMMAND");
  std::string out = name != nullptr ? name : argv[0];
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--from") {
      ++i;
    } else if (word == "--password") {
      ++i;
      out += " --password ...";
    } else if (word.starts_with("--password=")) {
      out += " --password=...";
    } else if (!word.starts_with("--from=")) {
      out += " " + quoted(word);
    }
  }
  return out;
}

}  // namespace

Result<Options> read_options(int argc, char** argv) {
  Options options;
  options.resume = command_line(argc, argv);
  Values flags;
  CLI::App app("Brings a DeepPool database to the newest schema. Safe to run again.");
  app.add_option("--config", options.config_file, "YAML file: its mysql.* and data_dir are used");
  for (const Setting& setting : kSettings) {
    app.add_option(setting.flag, flags[setting.key], setting.description);
  }
  app.add_option(kDataDir.flag, flags[kDataDir.key], kDataDir.description);
  app.add_option("--file", options.file, "run this migration file only");
  std::string from = "1";  // the library would read 010 as octal
  app.add_option("--from", from, "begin at this migration (NNN)");
  app.add_flag("--dry-run", options.dry_run, "show what would be run");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e));
  }

  const auto number = base::parse_int<int>(from);
  if (!number || *number < 1) {
    return Error(ErrorCode::invalid_request,
                 "--from: '" + from + "' is not the number of a migration, such as 003.");
  }
  options.from = *number;

  Values values;
  if (!options.config_file.empty()) DP_CHECK(read_file(options.config_file, values));
  for (const Setting& setting : kSettings) read_environment(setting, values);
  read_environment(kDataDir, values);
  // --data-dir on the command line means SQLite, whatever the file says.
  const bool sqlite_asked = !flags["data_dir"].empty();
  for (const auto& [key, value] : flags) {
    if (!value.empty()) values[key] = value;
  }
  options.has_mysql = !sqlite_asked && (!values["host"].empty() || !values["socket"].empty() ||
                                        !values["database"].empty());
  options.data_dir = values["data_dir"].empty() ? "./data" : values["data_dir"];
  DP_CHECK(fill_mysql(values, options.mysql));
  return options;
}

Result<std::unique_ptr<sql::Database>> open_database(const Options& options) {
  if (options.has_mysql) return sql::open_mysql(options.mysql);
  return sql::open_sqlite({.data_dir = options.data_dir});
}

}  // namespace deeppool::migrate
