// migrate: see README.md. Exit status 0 done, 1 a step failed (the command that resumes is
// printed).
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "options.h"
#include "sql/migrator/migrator.h"

namespace deeppool::migrate {
namespace {

void say(std::string_view line) {
  std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
  std::fflush(stdout);
}

Result<std::vector<sql::Migration>> chosen(const Options& options, sql::Engine engine) {
  DP_TRY(auto migrations, sql::parse_migrations(engine, sql::embedded_migration_files()));
  if (options.file.empty()) return migrations;
  std::ifstream in(options.file);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return Error::invalid("--file", "cannot read " + options.file);
  const std::string name = std::filesystem::path(options.file).filename().string();
  if (name.find("." + std::string(to_string(engine)) + ".") == std::string::npos) {
    return Error::invalid("--file", name + " is not for " + std::string(to_string(engine)));
  }
  const std::string content = text.str();
  DP_TRY(auto one, sql::parse_migration({name, content}));
  // The file stands for its number, so that what comes before it must be applied and what is known
  // stays known.
  const auto place = static_cast<size_t>(one.version) - 1;
  if (place > migrations.size()) {
    return Error::invalid("--file", name + " skips numbers: " + std::to_string(migrations.size()) +
                                        " is the last one known");
  }
  if (place == migrations.size()) {
    migrations.push_back(std::move(one));
  } else {
    migrations[place] = std::move(one);
  }
  return migrations;
}

Result<int> run(const Options& options) {
  DP_TRY(const auto database, open_database(options));
  DP_TRY(const auto migrations, chosen(options, database->engine()));
  sql::MigrateOptions how;
  how.mode = options.dry_run ? sql::MigrateMode::dry_run : sql::MigrateMode::apply;
  how.from = options.from;
  how.report = say;
  DP_TRY(const auto outcome, sql::migrate(*database, migrations, how));
  if (outcome.steps_done == 0) say("the schema is up to date");
  return outcome.steps_done;
}

int fail(const Error& error, const std::string& resume) {
  std::fprintf(stderr, "migrate: %s\n", error.message.c_str());
  if (!error.detail.empty()) std::fprintf(stderr, "migrate: %s\n", error.detail.c_str());
  const bool has_number =
      !error.param.empty() && error.param.find_first_not_of("0123456789") == std::string::npos;
  if (has_number) {
    std::fprintf(stderr,
                 "migrate: nothing after it was run; when the cause is mended, resume with:\n  %s "
                 "--from %s\n",
                 resume.c_str(), error.param.c_str());
  }
  return 1;
}

int program(int argc, char** argv) {
  const auto options = read_options(argc, argv);
  if (!options) return fail(options.error(), "");
  const auto done = run(*options);
  return done ? 0 : fail(done.error(), options->resume);
}

}  // namespace
}  // namespace deeppool::migrate

int main(int argc, char** argv) {
  return deeppool::migrate::program(argc, argv);
}
