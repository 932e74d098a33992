// Holds every SQL text of the tree to what all engines understand alike. Portable text is any
// literal in the code that begins like a statement; the engines' own folders and the migrations of
// one engine are held to less.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace deeppool::sql {
namespace {

namespace fs = std::filesystem;

enum Scope : unsigned { kPortable = 1, kSqliteFile = 2, kMysqlFile = 4 };

// A rule forbids a sequence of words. Text is compared in upper case, without string literals,
// white space reduced to one space; `_` in a pattern is one name or number, `...` any words up to
// the end of the statement.
struct Rule {
  unsigned scope;
  const char* pattern;
  const char* reason;
  const char* caught;  // a planted sample
};

constexpr Rule kRules[] = {
    {kPortable, "ON CONFLICT", "use {upsert ...}",
     "INSERT INTO t (a) VALUES (?) ON CONFLICT (a) DO NOTHING"},
    {kPortable, "ON DUPLICATE KEY", "use {upsert ...}",
     "INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = a"},
    {kPortable, "EXCLUDED .", "use {new ...}", "UPDATE t SET a = excluded.a"},
    {kPortable, "= VALUES (", "use {new ...}", "UPDATE t SET a = VALUES(a)"},
    {kPortable, "AS NEW", "MariaDB has no row alias: use {new ...}",
     "INSERT INTO t (a) VALUES (?) AS new"},
    {kPortable, "INSERT OR", "SQLite only: use {upsert ...} or insert_if_absent",
     "INSERT OR IGNORE INTO t (a) VALUES (1)"},
    {kPortable, "INSERT IGNORE", "hides truncation: use insert_if_absent",
     "INSERT IGNORE INTO t (a) VALUES (1)"},
    {kPortable, "REPLACE INTO", "deletes and inserts: use {upsert ...}",
     "REPLACE INTO t (a) VALUES (1)"},
    {kPortable | kMysqlFile, "RETURNING", "MySQL has none: use Outcome::last_insert_id",
     "DELETE FROM t RETURNING id"},
    {kPortable, "FOR UPDATE", "use {for_update}", "SELECT a FROM t FOR UPDATE"},
    {kPortable, "SKIP LOCKED", "SQLite has none", "SELECT a FROM t SKIP LOCKED"},
    {kPortable, "LOCK IN SHARE MODE", "use {for_share}", "SELECT a FROM t LOCK IN SHARE MODE"},
    {kPortable, "- >", "JSON is text: read it in C++", "SELECT a->>'$.b' FROM t"},
    {kPortable, "JSON_EXTRACT", "engines quote differently: read JSON in C++",
     "SELECT JSON_EXTRACT(a, '$.b') FROM t"},
    {kPortable, "JSON_EACH", "SQLite only", "SELECT value FROM JSON_EACH(?)"},
    {kPortable, "JSON_TABLE", "SQLite has none", "SELECT a FROM JSON_TABLE(?)"},
    {kPortable, "NOW (", "use {now_ms}", "SELECT NOW()"},
    {kPortable, "CURRENT_TIMESTAMP", "use {now_ms}", "SELECT CURRENT_TIMESTAMP"},
    {kPortable, "UNIX_TIMESTAMP", "use {now_ms}", "SELECT UNIX_TIMESTAMP()"},
    {kPortable, "STRFTIME", "times are numbers: compute in C++", "SELECT strftime('%s', 'now')"},
    {kPortable, "DATETIME", "times are numbers: compute in C++", "SELECT datetime('now')"},
    {kPortable, "UNIXEPOCH", "use {now_ms}", "SELECT unixepoch()"},
    {kPortable, "JULIANDAY", "use {now_ms}", "SELECT julianday('now')"},
    {kPortable, "DATE_ADD", "times are numbers: compute in C++", "SELECT DATE_ADD(a, b)"},
    {kPortable, "IF (", "use CASE WHEN", "SELECT IF(a, 1, 2) FROM t"},
    {kPortable, "IIF (", "use CASE WHEN", "SELECT iif(a, 1, 2) FROM t"},
    {kPortable, "CONCAT (", "SQLite has none: use ||", "SELECT CONCAT(a, b) FROM t"},
    {kPortable, "GROUP_CONCAT", "separators and limits differ", "SELECT GROUP_CONCAT(a) FROM t"},
    {kPortable, "LENGTH (", "characters in SQLite, bytes in MySQL", "SELECT LENGTH(a) FROM t"},
    {kPortable, "GREATEST (", "SQLite has none: use CASE WHEN", "SELECT GREATEST(a, 0) FROM t"},
    {kPortable, "LEAST (", "SQLite has none: use CASE WHEN", "SELECT LEAST(a, 0) FROM t"},
    {kPortable, "MAX ( _ ,", "MySQL has no two-argument MAX: use CASE WHEN",
     "SELECT MAX(a, 0) FROM t"},
    {kPortable, "MIN ( _ ,", "MySQL has no two-argument MIN: use CASE WHEN",
     "SELECT MIN(a, 0) FROM t"},
    {kPortable, "/", "whole in SQLite, exact in MySQL: divide in C++", "SELECT a / 2 FROM t"},
    {kPortable, "DIV", "MySQL only: divide in C++", "SELECT a DIV 2 FROM t"},
    {kPortable, "= =", "MySQL has none: use =", "SELECT a FROM t WHERE a == 1"},
    {kPortable, "< = >", "MySQL only", "SELECT a FROM t WHERE a <=> ?"},
    {kPortable, "IS ?", "SQLite only: use IS NULL or =", "SELECT a FROM t WHERE a IS ?"},
    {kPortable, "IS NOT ?", "SQLite only: use IS NOT NULL or <>",
     "SELECT a FROM t WHERE a IS NOT ?"},
    {kPortable, "IS DISTINCT FROM", "MySQL has none", "SELECT a FROM t WHERE a IS DISTINCT FROM ?"},
    {kPortable, "REGEXP", "SQLite has none", "SELECT a FROM t WHERE a REGEXP ?"},
    {kPortable, "RLIKE", "SQLite has none", "SELECT a FROM t WHERE a RLIKE ?"},
    {kPortable, "GLOB", "SQLite only", "SELECT a FROM t WHERE a GLOB ?"},
    {kPortable, "MATCH", "differs", "SELECT a FROM t WHERE t MATCH ?"},
    {kPortable, "FULL OUTER JOIN", "MySQL has none", "SELECT a FROM t FULL OUTER JOIN u"},
    {kPortable, "NULLS FIRST", "MySQL has none", "SELECT a FROM t ORDER BY a NULLS FIRST"},
    {kPortable, "NULLS LAST", "MySQL has none", "SELECT a FROM t ORDER BY a NULLS LAST"},
    {kPortable, "LIMIT _ ,", "use LIMIT ? OFFSET ?", "SELECT a FROM t LIMIT ?, ?"},
    {kPortable, "UPDATE _ JOIN", "SQLite has none", "UPDATE t JOIN u ON a = b SET c = 1"},
    {kPortable, "UPDATE _ SET ... LIMIT", "SQLite has none", "UPDATE t SET a = 1 LIMIT 5"},
    {kPortable, "UPDATE _ SET ... ORDER BY", "SQLite has none", "UPDATE t SET a = 1 ORDER BY b"},
    {kPortable, "DELETE FROM _ WHERE ... LIMIT", "SQLite has none",
     "DELETE FROM t WHERE a = 1 LIMIT 5"},
    {kPortable, "DELETE FROM _ USING", "SQLite has none", "DELETE FROM t USING t JOIN u"},
    {kPortable, "LAST_INSERT_ID", "use Outcome::last_insert_id", "SELECT LAST_INSERT_ID()"},
    {kPortable, "LAST_INSERT_ROWID", "use Outcome::last_insert_id", "SELECT last_insert_rowid()"},
    {kPortable, "AS INTEGER )", "MySQL says SIGNED: convert in C++",
     "SELECT CAST(a AS INTEGER) FROM t"},
    {kPortable, "AS SIGNED", "SQLite has none: convert in C++", "SELECT CAST(a AS SIGNED) FROM t"},
    {kPortable, "AS TEXT )", "MySQL says CHAR: convert in C++", "SELECT CAST(a AS TEXT) FROM t"},
    {kPortable, "COLLATE", "collations have other names",
     "SELECT a FROM t ORDER BY a COLLATE NOCASE"},
    {kPortable, "ROWID", "SQLite only", "SELECT rowid FROM t"},
    {kPortable, "SHOW", "MySQL only", "SHOW TABLES"},
    {kPortable, "PRAGMA", "SQLite only", "PRAGMA user_version"},
    {kPortable, "CREATE", "tables are made by migrations/", "CREATE TABLE t (a)"},
    {kPortable, "ALTER TABLE", "tables are changed by migrations/", "ALTER TABLE t ADD COLUMN a"},
    {kPortable, "DROP", "tables are dropped by migrations/", "DROP TABLE t"},
    {kPortable | kSqliteFile | kMysqlFile, "`", "no quoted names", "SELECT `a` FROM t"},
    {kPortable | kSqliteFile | kMysqlFile, "\"", "text to MySQL, a name to SQLite",
     "SELECT \"a\" FROM t"},
    {kMysqlFile | kSqliteFile, "IF NOT EXISTS", "MySQL 8 has it for tables only; the probe decides",
     "ALTER TABLE t ADD COLUMN IF NOT EXISTS a BIGINT"},
    {kMysqlFile | kSqliteFile, "IF EXISTS", "MySQL 8 has it for tables only; the probe decides",
     "ALTER TABLE t DROP COLUMN IF EXISTS a"},
    {kMysqlFile | kSqliteFile, "OR REPLACE", "MariaDB only",
     "CREATE OR REPLACE TABLE t (a BIGINT)"},
    {kMysqlFile, "AUTOINCREMENT", "SQLite only", "CREATE TABLE t (a BIGINT AUTOINCREMENT)"},
    {kMysqlFile, "STRICT", "SQLite only", "CREATE TABLE t (a BIGINT) STRICT"},
    {kMysqlFile, "JSON", "LONGTEXT in MariaDB: use MEDIUMTEXT", "CREATE TABLE t (a JSON)"},
    {kMysqlFile, "UUID", "MariaDB only: use BINARY(16)", "CREATE TABLE t (a UUID)"},
    {kMysqlFile, "INET6", "MariaDB only", "CREATE TABLE t (a INET6)"},
    {kMysqlFile, "UTF8MB4_0900_AI_CI", "MySQL only: use utf8mb4_bin",
     "CREATE TABLE t (a CHAR) COLLATE=utf8mb4_0900_ai_ci"},
    {kMysqlFile, "UTF8MB4_UCA1400_AI_CI", "MariaDB only: use utf8mb4_bin",
     "CREATE TABLE t (a CHAR) COLLATE=utf8mb4_uca1400_ai_ci"},
    {kMysqlFile, "INVISIBLE", "MySQL and MariaDB differ", "CREATE INDEX i ON t (a) INVISIBLE"},
    {kMysqlFile, "( (", "MariaDB has no index on an expression", "CREATE INDEX i ON t ((a + 1))"},
    {kMysqlFile, "MEDIUMTEXT NOT NULL DEFAULT", "MySQL allows no default here",
     "CREATE TABLE t (a MEDIUMTEXT NOT NULL DEFAULT '')"},
    {kMysqlFile, "TEXT NOT NULL DEFAULT", "MySQL allows no default here",
     "CREATE TABLE t (a TEXT NOT NULL DEFAULT '')"},
    {kMysqlFile, "BLOB NOT NULL DEFAULT", "MySQL allows no default here",
     "CREATE TABLE t (a BLOB NOT NULL DEFAULT '')"},
    {kMysqlFile | kSqliteFile, "DATETIME", "times are BIGINT, unix ms",
     "CREATE TABLE t (a DATETIME)"},
    {kMysqlFile | kSqliteFile, "TIMESTAMP", "times are BIGINT, unix ms",
     "CREATE TABLE t (a TIMESTAMP)"},
    {kMysqlFile, "ENUM", "new values need a rebuilt table: use VARCHAR with CHECK",
     "CREATE TABLE t (a ENUM('x'))"},
    {kMysqlFile, "UNSIGNED", "SQLite has none, and ids are int64_t",
     "CREATE TABLE t (a BIGINT UNSIGNED)"},
    {kSqliteFile, "AUTO_INCREMENT", "MySQL only", "CREATE TABLE t (a INTEGER AUTO_INCREMENT)"},
    {kSqliteFile, "ENGINE =", "MySQL only", "CREATE TABLE t (a INTEGER) ENGINE=InnoDB"},
};

using Words = std::vector<std::string>;

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Upper case words and single signs; a string literal is the word '' and an -- comment is nothing.
Words words_of(std::string_view sql) {
  Words out;
  for (size_t i = 0; i < sql.size();) {
    if (sql[i] == '\'') {
      i = std::min(sql.find('\'', i + 1), sql.size() - 1) + 1;
      out.emplace_back("''");
    } else if (sql.substr(i, 2) == "--") {
      i = std::min(sql.find('\n', i), sql.size());
    } else if (is_name(sql[i])) {
      std::string word;
      for (; i < sql.size() && is_name(sql[i]); ++i)
        word += static_cast<char>(std::toupper(sql[i]));
      out.push_back(std::move(word));
    } else {
      if (std::isspace(static_cast<unsigned char>(sql[i])) == 0) out.emplace_back(1, sql[i]);
      ++i;
    }
  }
  return out;
}

Words pattern_words(std::string_view pattern) {
  Words out;
  std::istringstream in{std::string(pattern)};
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

bool matches_at(const Words& text, size_t at, const Words& pattern, size_t from = 0) {
  for (size_t i = from; i < pattern.size(); ++i, ++at) {
    if (pattern[i] == "...") {
      for (size_t next = at; next < text.size(); ++next) {
        if (matches_at(text, next, pattern, i + 1)) return true;
      }
      return false;
    }
    if (at >= text.size()) return false;
    if (pattern[i] != text[at] && pattern[i] != "_") return false;
  }
  return true;
}

std::vector<const Rule*> broken_rules(std::string_view sql, unsigned scope) {
  const Words text = words_of(sql);
  std::vector<const Rule*> broken;
  for (const Rule& rule : kRules) {
    if ((rule.scope & scope) == 0) continue;
    const Words pattern = pattern_words(rule.pattern);
    bool found = false;
    for (size_t at = 0; at < text.size() && !found; ++at) found = matches_at(text, at, pattern);
    if (found) broken.push_back(&rule);
  }
  return broken;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Literal {
  int line = 0;
  std::string text;
};

// The string literals of C++ code, adjacent ones joined, as far as this needs: comments and
// characters are skipped, the common escapes undone.
class LiteralScanner {
 public:
  explicit LiteralScanner(std::string_view code) : code_(code) {}
  std::vector<Literal> run() {
    while (at_ < code_.size()) step();
    return std::move(literals_);
  }

 private:
  void step() {
    const char c = code_[at_];
    if (code_.substr(at_, 2) == "//") {
      at_ = std::min(code_.find('\n', at_), code_.size());
    } else if (code_.substr(at_, 3) == "R\"(") {
      const size_t end = std::min(code_.find(")\"", at_), code_.size());
      add(std::string(code_.substr(at_ + 3, end - at_ - 3)));
      at_ = std::min(end + 2, code_.size());
    } else if (c == '"') {
      add(quoted());
    } else if (c == '\'' && at_ > 0 && !is_name(code_[at_ - 1])) {
      at_ += code_.substr(at_ + 1, 1) == "\\" ? 4 : 3;
    } else {
      if (std::isspace(static_cast<unsigned char>(c)) == 0) joining_ = false;
      line_ += c == '\n';
      ++at_;
    }
  }
  std::string quoted() {
    std::string text;
    for (++at_; at_ < code_.size() && code_[at_] != '"'; ++at_) {
      if (code_[at_] != '\\') {
        text += code_[at_];
      } else {
        const char escaped = code_[++at_];
        text += escaped == 'n' ? '\n' : escaped;
      }
    }
    ++at_;
    return text;
  }
  void add(std::string text) {
    if (joining_) {
      literals_.back().text += text;
    } else {
      literals_.push_back({line_, std::move(text)});
    }
    joining_ = true;
  }
  std::string_view code_;
  size_t at_ = 0;
  int line_ = 1;
  bool joining_ = false;
  std::vector<Literal> literals_;
};

// At least two words, of which the first two begin a statement: not every text with "Update" is
// SQL.
bool looks_like_sql(std::string_view text) {
  const Words words = words_of(text);
  if (words.size() < 3) return false;
  static const std::set<std::string> kAlone = {"SELECT", "WITH", "PRAGMA"};
  static const std::set<std::pair<std::string, std::string>> kPairs = {
      {"INSERT", "INTO"}, {"INSERT", "OR"},    {"INSERT", "IGNORE"}, {"REPLACE", "INTO"},
      {"DELETE", "FROM"}, {"CREATE", "TABLE"}, {"CREATE", "INDEX"},  {"ALTER", "TABLE"},
      {"DROP", "TABLE"},  {"DROP", "INDEX"}};
  const bool shouts =
      text.starts_with("SELECT ") || text.starts_with("WITH ") || text.starts_with("PRAGMA ");
  if (kAlone.contains(words[0])) return shouts;
  return kPairs.contains({words[0], words[1]}) ||
         (text.starts_with("UPDATE ") && words[2] == "SET");
}

bool speaks_for_one_engine(const std::string& path) {
  for (const char* part :
       {"src/sql/sqlite/", "src/sql/mysql/", "src/sql/migrator/", "src/testing/"}) {
    if (path.starts_with(part)) return true;
  }
  return path.ends_with("_test.cc") || path.ends_with("_itest.cc") || path.ends_with("_bench.cc");
}

TEST(SqlLint, PortableTextInCode) {
  const fs::path root = DEEPPOOL_SOURCE_DIR;
  int statements = 0;
  for (const char* folder : {"src", "apps", "tools"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string path = fs::relative(entry.path(), root).string();
      if (!path.ends_with(".cc") && !path.ends_with(".h")) continue;
      if (speaks_for_one_engine(path)) continue;
      for (const Literal& literal : LiteralScanner(read_file(entry.path())).run()) {
        if (!looks_like_sql(literal.text)) continue;
        ++statements;
        for (const Rule* rule : broken_rules(literal.text, kPortable)) {
          ADD_FAILURE() << path << ":" << literal.line << ": " << rule->pattern << ": "
                        << rule->reason;
        }
      }
    }
  }
  RecordProperty("statements", statements);
}

TEST(SqlLint, Migrations) {
  std::set<std::string> stems[2];
  for (const auto& entry : fs::directory_iterator(fs::path(DEEPPOOL_SOURCE_DIR) / "migrations")) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".sql")) continue;
    const bool mysql = name.ends_with(".mysql.sql");
    ASSERT_TRUE(mysql || name.ends_with(".sqlite.sql")) << name;
    stems[mysql].insert(name.substr(0, name.find('.')));
    const std::string text = read_file(entry.path());
    for (const Rule* rule : broken_rules(text, mysql ? kMysqlFile : kSqliteFile)) {
      ADD_FAILURE() << name << ": " << rule->pattern << ": " << rule->reason;
    }
    const auto count = [&](std::string_view part) {
      size_t n = 0;
      for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
      return n;
    };
    const char* ending =
        mysql ? ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;" : ") STRICT";
    EXPECT_EQ(count("\nCREATE TABLE "), count(ending))
        << name << ": a table does not end in " << ending;
  }
  EXPECT_FALSE(stems[0].empty());
  EXPECT_EQ(stems[0], stems[1]) << "every migration has a file for each engine";
}

TEST(SqlLint, EveryRuleCatchesItsPlantedSample) {
  for (const Rule& rule : kRules) {
    for (const unsigned scope : {kPortable, kSqliteFile, kMysqlFile}) {
      const auto broken = broken_rules(rule.caught, scope);
      const bool caught = std::ranges::find(broken, &rule) != broken.end();
      EXPECT_EQ(caught, (rule.scope & scope) != 0) << rule.pattern << " on: " << rule.caught;
    }
  }
}

TEST(SqlLint, PortableStatementsPass) {
  for (const char* sql : {
           "SELECT id, username FROM users WHERE LOWER(username) LIKE LOWER(?) ESCAPE '!' LIMIT ? "
           "OFFSET ?",
           "INSERT INTO t (a, b) VALUES (?, ?) {upsert a} b = b + {new b}",
           "UPDATE leases SET epoch = epoch + 1, expires_at = {now_ms} + ? WHERE name = ? AND "
           "epoch = ?",
           "SELECT COALESCE(SUM(requests), 0), MAX(started_at) FROM usage_records WHERE started_at "
           ">= ?",
           "DELETE FROM user_sessions WHERE expires_at < ?",
           "SELECT a FROM t WHERE b = 'ON CONFLICT RETURNING NOW()'",
           "SELECT n FROM t WHERE id IN ({list}) ORDER BY n DESC",
           "SELECT CASE WHEN a > b THEN a ELSE b END FROM t LEFT JOIN u ON t.id = u.id WHERE a IS "
           "NOT NULL",
       }) {
    for (const Rule* rule : broken_rules(sql, kPortable))
      ADD_FAILURE() << rule->pattern << " on: " << sql;
  }
}

TEST(SqlLint, FindsStatementsInCode) {
  const auto literals = LiteralScanner(
                            "a(\"SELECT x \"  // why\n  \"FROM t\", 'c', '\\'');\n"
                            "b(R\"(DELETE FROM t WHERE \"q\" = 1)\");  // \"SELECT no FROM t\"\n"
                            "c(\"Update your key\", \"SELECTED one of them\", \"UPDATE t SET a = "
                            "'x\\\\'\", 1'000);\n")
                            .run();
  std::vector<std::string> found;
  for (const Literal& literal : literals) {
    if (looks_like_sql(literal.text))
      found.push_back(std::to_string(literal.line) + " " + literal.text);
  }
  EXPECT_EQ(found, (std::vector<std::string>{"1 SELECT x FROM t", "3 DELETE FROM t WHERE \"q\" = 1",
                                             "4 UPDATE t SET a = 'x\\'"}));
}

}  // namespace
}  // namespace deeppool::sql
