// What the compiler accepts as SQL, and what a fragment becomes.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "sql/dialect.h"
#include "sql/text.h"

namespace deeppool::sql {

// While a program is compiled, reaching this is the error; the checks themselves also run here.
void text_check::fail(const char* why) {
  throw std::invalid_argument(why);
}

namespace {

TEST(SqlText, CountsPlaceholders) {
  EXPECT_EQ(text_check::check("SELECT 1").placeholders, 0u);
  EXPECT_EQ(text_check::check("SELECT ? FROM t WHERE a = '?' AND b = ?").placeholders, 2u);
  EXPECT_EQ(text_check::check("INSERT INTO t (a) {rows}").repeats, 1u);
  constexpr Sql<2> kText("SELECT ? FROM t WHERE b = ?");
  EXPECT_EQ(kText.text(), "SELECT ? FROM t WHERE b = ?");
  EXPECT_EQ(text_check::check("UPDATE t SET a = a - {money} WHERE b = ?").placeholders, 2u);
}

TEST(SqlText, RefusesWrongTexts) {
  for (const char* text : {"SELECT 1;", "SELECT 1; DROP TABLE t", "SELECT \"a\"", "SELECT `a`",
                           "SELECT 'a", "SELECT {now}", "SELECT {now_ms", "SELECT {new}",
                           "{now_ms x}", "INSERT INTO t (a) VALUES (1) {upsert}"}) {
    EXPECT_THROW(text_check::check(text), std::invalid_argument) << text;
  }
}

TEST(SqlText, ExpandsFragmentsOutsideQuotes) {
  const char* text = "INSERT INTO t (a, b) VALUES (?, '{now_ms}') {upsert a} b = b + {new b}";
  EXPECT_EQ(expand(Engine::sqlite, text),
            "INSERT INTO t (a, b) VALUES (?, '{now_ms}') ON CONFLICT (a) DO UPDATE SET b = b + "
            "excluded.b");
  EXPECT_EQ(
      expand(Engine::mysql, text),
      "INSERT INTO t (a, b) VALUES (?, '{now_ms}') ON DUPLICATE KEY UPDATE b = b + VALUES(b)");
  EXPECT_EQ(expand(Engine::mysql, "SELECT a FROM t {for_update}"), "SELECT a FROM t FOR UPDATE");
  EXPECT_EQ(expand(Engine::sqlite, "SELECT a FROM t {for_update}"), "SELECT a FROM t ");
  EXPECT_EQ(expand(Engine::mysql, "SELECT a FROM t {for_share}"),
            "SELECT a FROM t LOCK IN SHARE MODE");
  EXPECT_EQ(expand(Engine::sqlite, "SELECT a FROM t {for_share}"), "SELECT a FROM t ");
  EXPECT_EQ(expand(Engine::mysql, "{rows}", {2, 3}), "VALUES (?, ?, ?), (?, ?, ?)");
  EXPECT_EQ(expand(Engine::sqlite, "{rows}", {2, 3}), "SELECT c0, c1, c2 FROM given_rows WHERE 1");
  EXPECT_EQ(expand(Engine::sqlite, "a IN ({list})", {3, 1}), "a IN (?, ?, ?)");
  EXPECT_EQ(expand(Engine::sqlite, "a - {money}"), "a - ?");
  EXPECT_EQ(expand(Engine::mysql, "a - {money}"), "a - CAST(? AS DECIMAL(20,10))");
}

TEST(SqlText, LikePatternTakesTheKeywordLiterally) {
  EXPECT_EQ(like_pattern(""), "%%");
  EXPECT_EQ(like_pattern("50%_!"), "%50!%!_!!%");
}

bool compiles(const std::string& body) {
  const std::string path =
      ::testing::TempDir() + "deeppool_sql_text_" + std::to_string(getpid()) + ".cc";
  std::ofstream(path) << "#include \"sql/text.h\"\n#include <string>\nusing deeppool::sql::Sql;\n"
                         "template <class... A> void query(Sql<sizeof...(A)>, A...) {}\n"
                         "void f(const std::string& s, const char* p) {\n  (void)s; (void)p;\n  "
                      << body << "\n}\n";
  const pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stderr) == nullptr) _exit(126);
    execlp(DEEPPOOL_CXX, DEEPPOOL_CXX, "-std=c++20", "-fsyntax-only",
           "-I" DEEPPOOL_SOURCE_DIR "/src", path.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  unlink(path.c_str());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) < 126);
  return status == 0;
}

TEST(SqlText, OnlyLiteralsCompile) {
  EXPECT_TRUE(compiles("query(\"SELECT ?\", 1);"));
  EXPECT_FALSE(compiles("query(s.c_str());"));
  EXPECT_FALSE(compiles("query(p);"));
  EXPECT_FALSE(compiles("query(s);"));
  EXPECT_FALSE(compiles("char text[9] = \"SELECT 1\"; query(text);"));
  EXPECT_FALSE(compiles("query(\"SELECT ?\");"));
  EXPECT_FALSE(compiles("query(\"SELECT ?\", 1, 2);"));
  EXPECT_FALSE(compiles("query(\"SELECT 1; SELECT 2\");"));
}

}  // namespace
}  // namespace deeppool::sql
