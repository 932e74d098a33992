#include "sql/migrator/migration.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "crypto/hash.h"

namespace deeppool::sql {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trimmed(std::string_view s) {
  const size_t begin = s.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return s.substr(begin, s.find_last_not_of(kSpaces) - begin + 1);
}

// The text after `prefix`, or nothing if the line does not begin with it.
std::optional<std::string_view> after(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return std::nullopt;
  return trimmed(line.substr(prefix.size()));
}

std::optional<Probe> parse_object(std::string_view text) {
  Probe probe;
  if (const auto gone = after(text, "no ")) {
    probe.wanted = Probe::Wanted::gone;
    text = *gone;
  }
  if (const auto table = after(text, "table ")) {
    probe.table = *table;
  } else if (const auto view = after(text, "view ")) {
    probe.kind = Probe::Kind::view;
    probe.table = *view;
  } else if (const auto column = after(text, "column ")) {
    const size_t dot = column->find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    probe.kind = Probe::Kind::column;
    probe.table = column->substr(0, dot);
    probe.name = column->substr(dot + 1);
  } else if (const auto index = after(text, "index ")) {
    const size_t on = index->find(" on ");
    if (on == std::string_view::npos) return std::nullopt;
    probe.kind = Probe::Kind::index;
    probe.name = index->substr(0, on);
    probe.table = index->substr(on + 4);
  }
  if (probe.table.empty()) return std::nullopt;
  return probe;
}

std::optional<Probe> parse_probe(std::string_view text) {
  const auto query = after(text, "rows ");
  if (!query) return parse_object(text);
  Probe probe;
  probe.kind = Probe::Kind::rows;
  probe.query = *query;
  return probe;
}

size_t unquoted_semicolon(std::string_view statement) {
  bool quoted = false;
  for (size_t i = 0; i < statement.size(); ++i) {
    if (statement[i] == '\'') quoted = !quoted;
    if (statement[i] == ';' && !quoted) return i;
  }
  return std::string_view::npos;
}

// Reads a file line by line; a step is closed when the next begins.
class Parser {
 public:
  explicit Parser(const MigrationFile& file) : file_(file) {}

  Result<Migration> run() {
    DP_CHECK(read_name());
    for (const std::string_view raw : base::split(file_.text, '\n')) {
      ++line_;
      DP_CHECK(read_line(raw));
    }
    DP_CHECK(close_step());
    if (migration_.steps.empty()) return wrong("it has no `-- step:`");
    return std::move(migration_);
  }

 private:
  Error wrong(const std::string& why) const {
    return Error(ErrorCode::invalid_request,
                 std::string(file_.name) + ":" + std::to_string(line_) + ": " + why);
  }

  Result<void> read_name() {
    const std::string_view stem = file_.name.substr(0, file_.name.find('.'));
    const auto version = base::parse_int<int>(stem.substr(0, stem.find('_')));
    if (!version || *version < 1 || stem.size() < 5 || stem[3] != '_') {
      return wrong("a migration is named NNN_name.sqlite.sql or NNN_name.mysql.sql");
    }
    migration_.version = *version;
    migration_.name = stem;
    return {};
  }

  Result<void> read_line(std::string_view raw) {
    const std::string_view line = trimmed(raw);
    if (const auto title = after(line, "-- step:")) {
      DP_CHECK(close_step());
      step_.emplace();
      step_->number = static_cast<int>(migration_.steps.size()) + 1;
      step_->title = *title;
      return {};
    }
    if (const auto text = after(line, "-- probe:")) {
      const auto probe = parse_probe(*text);
      if (!step_ || has_probe_) return wrong("a probe belongs right below its step");
      if (!probe) return wrong("unknown probe: " + std::string(*text));
      step_->probe = *probe;
      has_probe_ = true;
      return {};
    }
    if (line.empty() || line.starts_with("--")) return {};
    if (!step_) return wrong("a statement before the first `-- step:`");
    step_->statement += raw;
    step_->statement += '\n';
    return {};
  }

  Result<void> close_step() {
    if (!step_) return {};
    std::string_view statement = trimmed(step_->statement);
    if (!has_probe_) return wrong("step '" + step_->title + "' has no probe");
    if (!statement.ends_with(';')) return wrong("step '" + step_->title + "' must end with ;");
    statement.remove_suffix(1);
    if (unquoted_semicolon(statement) != std::string_view::npos) {
      return wrong("step '" + step_->title + "' has more than one statement");
    }
    step_->checksum = base::hex_encode(crypto::bytes_of(crypto::sha256(normalised(statement))));
    step_->statement = std::string(statement);
    migration_.steps.push_back(*std::move(step_));
    step_.reset();
    has_probe_ = false;
    return {};
  }

  const MigrationFile& file_;
  Migration migration_;
  std::optional<Step> step_;
  bool has_probe_ = false;
  int line_ = 0;
};

}  // namespace

std::string normalised(std::string_view sql) {
  std::string out;
  for (const char c : trimmed(sql)) {
    const bool space = kSpaces.find(c) != std::string_view::npos;
    if (!space) {
      out += c;
    } else if (!out.ends_with(' ')) {
      out += ' ';
    }
  }
  return out;
}

Result<Migration> parse_migration(const MigrationFile& file) {
  return Parser(file).run();
}

Result<std::vector<Migration>> parse_migrations(Engine engine,
                                                std::span<const MigrationFile> files) {
  const std::string ending = "." + std::string(to_string(engine)) + ".sql";
  std::vector<Migration> out;
  for (const MigrationFile& file : files) {
    if (!file.name.ends_with(ending)) continue;
    DP_TRY(auto migration, parse_migration(file));
    out.push_back(std::move(migration));
  }
  std::ranges::sort(out, {}, &Migration::version);
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i].version != static_cast<int>(i) + 1) {
      return Error(ErrorCode::invalid_request,
                   out[i].name + ": migrations are numbered 001, 002, ... without gaps or doubles");
    }
  }
  return out;
}

}  // namespace deeppool::sql
