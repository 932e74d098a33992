#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>

#include "sql/transaction.h"
#include "testing/databases.h"

namespace deeppool::sql {
namespace {

using std::chrono::milliseconds;

// The one place where a test may write SQL for an engine: tables of its own.
void create(Database& database, const char* for_sqlite, const char* for_mysql) {
  auto writer = database.write();
  ASSERT_TRUE(writer.ok()) << writer.error().detail;
  const bool sqlite = database.engine() == Engine::sqlite;
  const auto done = writer->connection().run_plain(sqlite ? for_sqlite : for_mysql);
  ASSERT_TRUE(done.ok()) << done.error().detail;
}

class SqlLayer : public testing::DatabaseTest {
 protected:
  SqlLayer() : DatabaseTest(testing::Schema::empty) {}
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    create(database(),
           "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, n INTEGER, "
           "ratio REAL, raw BLOB, UNIQUE (name)) STRICT",
           "CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(191) NOT NULL, n "
           "BIGINT, "
           "ratio DOUBLE, raw LONGBLOB, UNIQUE KEY name (name)) ENGINE=InnoDB "
           "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin");
    create(database(), "CREATE TABLE child (t_id INTEGER NOT NULL REFERENCES t (id)) STRICT",
           "CREATE TABLE child (t_id BIGINT NOT NULL, FOREIGN KEY (t_id) REFERENCES t (id)) "
           "ENGINE=InnoDB");
  }
  Writer writer() { return *database().write(); }
};
DEEPPOOL_EACH_DATABASE(SqlLayer);

TEST_P(SqlLayer, ReturnsWhatWasBound) {
  Writer w = writer();
  const std::string odd = "quote ' \" back\\slash ; ? {x} \xF0\x9F\x8C\x8A \xE4\xB8\xAD\n";
  const std::string bytes("\0\xff\x80zero\0", 8);
  const auto first = w.execute("INSERT INTO t (name, n, ratio, raw) VALUES (?, ?, ?, ?)", odd,
                               std::numeric_limits<int64_t>::min(), 0.1, Blob{bytes});
  ASSERT_TRUE(first.ok()) << first.error().detail;
  EXPECT_EQ(first->affected, 1);
  EXPECT_EQ(first->last_insert_id, 1);
  const auto second = w.execute("INSERT INTO t (name, n, ratio, raw) VALUES (?, ?, ?, ?)", "",
                                std::optional<int64_t>(), nullptr, Blob{""});
  EXPECT_EQ(second->last_insert_id, 2);
  // A view of nothing is an empty text, not NULL.
  ASSERT_TRUE(w.execute("UPDATE t SET name = ? WHERE id = 2", std::string_view()));

  using Columns = std::tuple<int64_t, std::string, std::optional<int64_t>, std::optional<double>,
                             std::optional<std::string>>;
  const auto rows =
      w.query<int64_t, std::string, std::optional<int64_t>, std::optional<double>,
              std::optional<std::string>>("SELECT id, name, n, ratio, raw FROM t ORDER BY id");
  ASSERT_TRUE(rows.ok()) << rows.error().detail;
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0], Columns(1, odd, std::numeric_limits<int64_t>::min(), 0.1, bytes));
  EXPECT_EQ((*rows)[1], Columns(2, "", std::nullopt, std::nullopt, ""));
}

TEST_P(SqlLayer, KeepsLongTextAndBlobs) {
  Writer w = writer();
  for (const size_t size : {0u, 1u, 255u, 256u, 257u, 70'000u, 1'000'000u}) {
    const std::string blob(size, '\xee');
    ASSERT_TRUE(
        w.execute("INSERT INTO t (name, raw) VALUES (?, ?)", std::to_string(size), Blob{blob})
            .ok());
  }
  const auto rows = w.query<std::string, std::string>("SELECT name, raw FROM t ORDER BY id");
  ASSERT_TRUE(rows.ok()) << rows.error().detail;
  ASSERT_EQ(rows->size(), 7u);
  for (const auto& [name, raw] : *rows) EXPECT_EQ(raw, std::string(std::stoul(name), '\xee'));
}

struct Named {
  int64_t id = 0;
  std::string name;
  static Named from_row(const Row& row) {
    Named out;
    row.into(out.id, out.name);
    return out;
  }
};

TEST_P(SqlLayer, ReadsRowsInEveryForm) {
  Writer w = writer();
  for (const char* name : {"a", "b"})
    ASSERT_TRUE(w.execute("INSERT INTO t (name, n) VALUES (?, 5)", name).ok());
  const auto named = w.query<Named>("SELECT id, name FROM t ORDER BY id");
  ASSERT_TRUE(named.ok());
  EXPECT_EQ((*named)[1].name, "b");
  EXPECT_EQ(*w.query<base::UserId>("SELECT id FROM t WHERE name = ?", "b"),
            std::vector{base::UserId{2}});
  EXPECT_EQ(*w.query_one<std::string>("SELECT name FROM t WHERE id = ?", 1), "a");
  EXPECT_EQ(*w.query_one<std::string>("SELECT name FROM t WHERE id = ?", 9), std::nullopt);
  EXPECT_EQ(*w.query_value<int64_t>("SELECT COUNT(*) FROM t"), 2);
  EXPECT_EQ(*w.query_value<int64_t>("SELECT SUM(n) FROM t"), 10);  // DECIMAL in MySQL
  EXPECT_EQ(*w.query_value<std::optional<int64_t>>("SELECT SUM(n) FROM t WHERE id = 9"),
            std::nullopt);
  std::string all;
  const auto visited = w.for_each([&](const Row& row) { all += row.get<std::string_view>(0); },
                                  "SELECT name FROM t ORDER BY name DESC LIMIT ?", 10);
  EXPECT_TRUE(visited.ok());
  EXPECT_EQ(all, "ba");
}

TEST_P(SqlLayer, MisreadColumnsAreInternalErrors) {
  Writer w = writer();
  ASSERT_TRUE(w.execute("INSERT INTO t (name, n, raw) VALUES (?, 300, ?)", "x", Blob{"abc"}).ok());
  const auto wrong = [](const auto& result) {
    return !result.ok() && result.error().code == ErrorCode::internal;
  };
  EXPECT_TRUE(wrong(w.query<int64_t>("SELECT name FROM t")));
  EXPECT_TRUE(wrong(w.query<double>("SELECT ratio FROM t")));  // NULL
  EXPECT_TRUE(wrong(w.query<int8_t>("SELECT n FROM t")));
  EXPECT_TRUE(wrong(w.query<int64_t>("SELECT id, n FROM t")));
  EXPECT_TRUE((wrong(w.query<int64_t, int64_t>("SELECT id FROM t"))));
  EXPECT_TRUE(wrong(w.query<std::array<uint8_t, 4>>("SELECT raw FROM t")));
  EXPECT_TRUE(wrong(w.query_value<int64_t>("SELECT id FROM t WHERE id = 99")));
  EXPECT_EQ(*w.query_value<int64_t>("SELECT n FROM t"), 300);  // and the session still works
}

TEST_P(SqlLayer, RowCallbackCannotUseItsSession) {
  Writer w = writer();
  ASSERT_TRUE(w.execute("INSERT INTO t (name) VALUES ('x')").ok());
  ErrorCode inner = ErrorCode::cancelled;
  const auto outer =
      w.for_each([&](const Row&) { inner = w.query<int64_t>("SELECT id FROM t").error().code; },
                 "SELECT id FROM t");
  EXPECT_TRUE(outer.ok());
  EXPECT_EQ(inner, ErrorCode::internal);
}

TEST_P(SqlLayer, AffectedCountsMatchedRows) {
  Writer w = writer();
  ASSERT_TRUE(w.execute("INSERT INTO t (name, n) VALUES ('a', 1)").ok());
  EXPECT_EQ(w.execute("UPDATE t SET n = ? WHERE name = ?", 1, "a")->affected, 1);  // unchanged
  EXPECT_EQ(w.execute("UPDATE t SET n = ? WHERE name = ?", 1, "b")->affected, 0);
  EXPECT_EQ(w.execute("DELETE FROM t")->affected, 1);
}

TEST_P(SqlLayer, DuplicateKeyIsConflictThatNamesItsColumn) {
  Writer w = writer();
  ASSERT_TRUE(*w.insert_if_absent("INSERT INTO t (name) VALUES (?)", "secret-name"));
  EXPECT_FALSE(*w.insert_if_absent("INSERT INTO t (name) VALUES (?)", "secret-name"));
  const auto again = w.execute("INSERT INTO t (name) VALUES (?)", "secret-name");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_EQ(again.error().param, "name");
  EXPECT_EQ(again.error().detail.find("secret-name"), std::string::npos);
  EXPECT_TRUE(*w.insert_if_absent("INSERT INTO t (name) VALUES (?)", "Secret-Name"));  // bytewise
  const auto orphan = w.execute("INSERT INTO child (t_id) VALUES (77)");
  ASSERT_FALSE(orphan.ok());
  EXPECT_EQ(orphan.error().code, ErrorCode::conflict);
}

TEST_P(SqlLayer, WrongStatementIsInternalWithTextInDetailOnly) {
  Writer w = writer();
  const auto r = w.query<int64_t>("SELECT nothing FROM nowhere");
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::internal);
  EXPECT_EQ(r.error().message.find("nowhere"), std::string::npos);
  EXPECT_NE(r.error().detail.find("SELECT nothing FROM nowhere"), std::string::npos);
  const auto strict = w.execute("INSERT INTO t (name, n) VALUES ('a', ?)", "not a number");
  ASSERT_FALSE(strict.ok());
  EXPECT_EQ(strict.error().code, ErrorCode::internal);
}

TEST_P(SqlLayer, FragmentsMeanTheSame) {
  Writer w = writer();
  for (const int n : {1, 10, 100}) {
    const auto done =
        w.execute("INSERT INTO t (name, n) VALUES (?, ?) {upsert name} n = n + {new n}", "sum", n);
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  EXPECT_EQ(*w.query_value<int64_t>("SELECT n FROM t WHERE name = 'sum' {for_update}"), 111);
  const int64_t now = base::unix_ms(base::SystemClock().wall());
  const auto theirs = w.query_value<int64_t>("SELECT {now_ms}");
  ASSERT_TRUE(theirs.ok()) << theirs.error().detail;
  EXPECT_NEAR(static_cast<double>(*theirs), static_cast<double>(now), 5000.0);
  for (const char* name : {"50% off", "50 off", "under_score", "bang!"}) {
    ASSERT_TRUE(w.execute("INSERT INTO t (name) VALUES (?)", name).ok());
  }
  const auto count = [&](std::string_view keyword) {
    return *w.query_value<int64_t>(
        "SELECT COUNT(*) FROM t WHERE LOWER(name) LIKE LOWER(?) ESCAPE '!'", like_pattern(keyword));
  };
  EXPECT_EQ(count("50"), 2);
  EXPECT_EQ(count("0% OFF"), 1);
  EXPECT_EQ(count("r_s"), 1);
  EXPECT_EQ(count("!"), 1);
}

TEST_P(SqlLayer, MoneyIsExactInEveryPlace) {
  using base::Money;
  create(database(), "CREATE TABLE purse (id INTEGER PRIMARY KEY, m INTEGER NOT NULL) STRICT",
         "CREATE TABLE purse (id BIGINT PRIMARY KEY, m DECIMAL(20,10) NOT NULL) ENGINE=InnoDB");
  Writer w = writer();
  // A DOUBLE has 15 digits: it would lose the last ones of the second and third.
  const std::vector<Money> amounts{Money::units(0), Money::units(9'000'000'000'000'000'001),
                                   Money::units(-9'000'000'000'000'000'003), Money::units(1),
                                   Money::units(-15)};
  std::vector<std::tuple<int64_t, Money>> rows;
  for (size_t i = 0; i < amounts.size(); ++i) rows.emplace_back(i, amounts[i]);
  ASSERT_TRUE(w.insert_rows("INSERT INTO purse (id, m) {rows}", std::span(std::as_const(rows))));
  EXPECT_EQ(*w.query<Money>("SELECT m FROM purse ORDER BY id"), amounts);
  for (size_t i = 0; i < amounts.size(); ++i) {
    const auto id = static_cast<int64_t>(i);
    EXPECT_EQ(*w.query_value<int64_t>("SELECT COUNT(*) FROM purse WHERE id = ? AND m = {money}", id,
                                      amounts[i]),
              1);
    const auto spent =
        w.execute("UPDATE purse SET m = m + {money} WHERE id = ? AND m + {money} >= {money}",
                  Money::units(1), id, Money::units(1), amounts[i]);
    ASSERT_TRUE(spent.ok()) << spent.error().detail;
    EXPECT_EQ(spent->affected, 1);
    EXPECT_EQ(w.execute("UPDATE purse SET m = m - {money} WHERE id = ? AND m < {money}",
                        Money::units(1), id, Money::units(amounts[i].units() + 1))
                  ->affected,
              0);
    ASSERT_TRUE(w.execute("INSERT INTO purse (id, m) VALUES (?, ?) {upsert id} m = m + {new m}", id,
                          Money::units(2)));
    EXPECT_EQ(*w.query_value<Money>("SELECT m FROM purse WHERE id = ?", id),
              Money::units(amounts[i].units() + 3));
  }
  EXPECT_EQ(*w.query_value<Money>("SELECT SUM(m) FROM purse"), Money::units(-16 + 15));
  EXPECT_EQ(*w.query_value<std::optional<Money>>("SELECT SUM(m) FROM purse WHERE id = 99"),
            std::nullopt);
  EXPECT_FALSE(w.query<Money>("SELECT name FROM t UNION SELECT 'no amount'"));
}

TEST_P(SqlLayer, BulkInsertAndListsOfAnySize) {
  Writer w = writer();
  std::vector<std::tuple<std::string, int64_t>> rows;
  std::vector<int64_t> numbers;
  for (int i = 0; i < 5000; ++i) {
    rows.emplace_back("row " + std::to_string(i), i);
    numbers.push_back(i * 2);
  }
  const auto done = w.insert_rows("INSERT INTO t (name, n) {rows}", std::span(std::as_const(rows)));
  ASSERT_TRUE(done.ok()) << done.error().detail;
  EXPECT_EQ(*w.query_value<int64_t>("SELECT COUNT(*) FROM t"), 5000);
  const auto found = w.query_list<int64_t>("SELECT n FROM t WHERE n IN ({list})",
                                           std::span(std::as_const(numbers)));
  ASSERT_TRUE(found.ok()) << found.error().detail;
  EXPECT_EQ(found->size(), 2500u);
  EXPECT_TRUE(
      w.query_list<int64_t>("SELECT n FROM t WHERE n IN ({list})", std::span<const int64_t>())
          ->empty());
}

TEST_P(SqlLayer, BulkInsertTakesEveryKindOfValueAndUpserts) {
  Writer w = writer();
  const std::string bytes("\0\xff\x80", 3);
  using Given = std::tuple<std::string_view, std::optional<int64_t>, std::optional<double>,
                           std::optional<Blob>>;
  const std::vector<Given> rows{{"a", 1, 0.5, Blob{bytes}},
                                {std::string_view(), std::nullopt, std::nullopt, std::nullopt},
                                {"c", std::numeric_limits<int64_t>::min(), -1.0, Blob{""}}};
  ASSERT_TRUE(w.insert_rows("INSERT INTO t (name, n, ratio, raw) {rows}", std::span(rows)));
  using Stored = std::tuple<std::string, std::optional<int64_t>, std::optional<double>,
                            std::optional<std::string>>;
  const auto stored =
      w.query<std::string, std::optional<int64_t>, std::optional<double>,
              std::optional<std::string>>("SELECT name, n, ratio, raw FROM t ORDER BY id");
  ASSERT_TRUE(stored.ok()) << stored.error().detail;
  EXPECT_EQ(*stored, (std::vector<Stored>{{"a", 1, 0.5, bytes},
                                          {"", std::nullopt, std::nullopt, std::nullopt},
                                          {"c", std::numeric_limits<int64_t>::min(), -1.0, ""}}));

  const std::vector<std::tuple<std::string_view, int64_t>> more{{"a", 2}, {"d", 4}, {"a", 10}};
  const auto added = w.insert_rows("INSERT INTO t (name, n) {rows} {upsert name} n = n + {new n}",
                                   std::span(more));
  ASSERT_TRUE(added.ok()) << added.error().detail;
  EXPECT_EQ(*w.query_value<int64_t>("SELECT n FROM t WHERE name = 'a'"), 13);
  EXPECT_EQ(*w.query_value<int64_t>("SELECT COUNT(*) FROM t"), 4);

  // All of a statement, or nothing of it.
  const std::vector<std::tuple<std::string_view, int64_t>> twins{{"e", 1}, {"a", 1}};
  const auto refused = w.insert_rows("INSERT INTO t (name, n) {rows}", std::span(twins));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(refused.error().param, "name");
  EXPECT_EQ(*w.query_value<int64_t>("SELECT COUNT(*) FROM t"), 4);
}

TEST_P(SqlLayer, RowsThatWereNotGivenAreAnError) {
  Writer w = writer();
  if (w.engine() != Engine::sqlite) GTEST_SKIP() << "only SQLite reads them from a table";
  EXPECT_FALSE(w.execute("INSERT INTO t (name) SELECT c0 FROM given_rows WHERE 1"));
}

TEST_P(SqlLayer, TransactionRollsBackUnlessCommitted) {
  Writer w = writer();
  const auto count = [&] { return *w.query_value<int64_t>("SELECT COUNT(*) FROM t"); };
  {
    auto tx = Transaction::begin(w);
    ASSERT_TRUE(tx.ok());
    ASSERT_TRUE(w.execute("INSERT INTO t (name) VALUES ('a')").ok());
    EXPECT_FALSE(Transaction::begin(w).ok());
  }
  EXPECT_EQ(count(), 0);
  auto tx = Transaction::begin(w);
  ASSERT_TRUE(w.execute("INSERT INTO t (name) VALUES ('a')").ok());
  EXPECT_FALSE(*w.insert_if_absent("INSERT INTO t (name) VALUES ('a')"));  // the first one stands
  ASSERT_TRUE(tx->commit().ok());
  EXPECT_EQ(count(), 1);
}

TEST_P(SqlLayer, RunTransactionReturnsValueOrError) {
  const auto id = run_transaction(database(), [](Writer& tx) -> Result<int64_t> {
    DP_TRY(const Outcome done, tx.execute("INSERT INTO t (name) VALUES ('a')"));
    return done.last_insert_id;
  });
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(*id, 1);
  const auto refused = run_transaction(database(), [](Writer& tx) -> Result<void> {
    DP_CHECK(tx.execute("INSERT INTO t (name) VALUES ('b')"));
    return Error::invalid("x", "no");
  });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().param, "x");
  EXPECT_EQ(*writer().query_value<int64_t>("SELECT COUNT(*) FROM t"), 1);
}

TEST_P(SqlLayer, RivalsNeverLoseAnUpdate) {
  // Two rows taken in opposite order: MySQL reports deadlocks, which run_transaction must repeat.
  for (const char* name : {"a", "b"})
    ASSERT_TRUE(writer().execute("INSERT INTO t (name, n) VALUES (?, 0)", name).ok());
  const auto bump = [&](std::string first, std::string second) {
    for (int i = 0; i < 25; ++i) {
      const auto done = run_transaction(database(), [&](Writer& tx) -> Result<void> {
        DP_CHECK(tx.execute("UPDATE t SET n = n + 1 WHERE name = ?", first));
        std::this_thread::yield();
        DP_CHECK(tx.execute("UPDATE t SET n = n + 1 WHERE name = ?", second));
        return {};
      });
      EXPECT_TRUE(done.ok()) << done.error().detail;
    }
  };
  std::thread one(bump, "a", "b");
  std::thread two(bump, "b", "a");
  one.join();
  two.join();
  EXPECT_EQ(*writer().query<int64_t>("SELECT n FROM t ORDER BY id"),
            (std::vector<int64_t>{50, 50}));
}

TEST_P(SqlLayer, PoolIsBoundedAndWaitingEnds) {
  std::vector<Writer> held;
  while (true) {
    auto w = database().write(milliseconds(20));
    if (!w) {
      EXPECT_EQ(w.error().code, ErrorCode::unavailable);
      break;
    }
    held.push_back(*std::move(w));
    ASSERT_LE(held.size(), kMysqlWriters);
  }
  EXPECT_EQ(database().writers_in_use(), held.size());
  EXPECT_TRUE(database().read().ok());  // readers are not held up by writers
  std::thread later([&] { held.pop_back(); });
  EXPECT_TRUE(database().write(std::chrono::seconds(5)).ok());
  later.join();
}

TEST_P(SqlLayer, EveryStatementAndCommitIsObserved) {
  int observed = 0;
  database().observe([&](base::Duration took) {
    EXPECT_GT(took.count(), 0);
    ++observed;
  });
  {
    Reader reader = *database().read();
    EXPECT_TRUE(reader.query<int64_t>("SELECT id FROM t"));
    EXPECT_EQ(observed, 1);
    EXPECT_TRUE(writer().execute("INSERT INTO t (name) VALUES ('alone')"));
    EXPECT_EQ(observed, 2);
    EXPECT_FALSE(writer().execute("INSERT INTO t (name) VALUES ('alone')"));
    EXPECT_EQ(observed, 3);  // what fails has cost its time, too
  }
  EXPECT_TRUE(run_transaction(database(), [](Writer& tx) -> Result<void> {
    DP_CHECK(tx.execute("INSERT INTO t (name) VALUES ('together')"));
    return {};
  }));
  EXPECT_EQ(observed, 5);
  database().observe({});
}

TEST_P(SqlLayer, LeaseGivenBackInsideTransactionIsRolledBack) {
  {
    Writer w = writer();
    ASSERT_TRUE(w.connection().begin().ok());
    ASSERT_TRUE(w.execute("INSERT INTO t (name) VALUES ('left')").ok());
  }
  EXPECT_EQ(*writer().query_value<int64_t>("SELECT COUNT(*) FROM t"), 0);
}

}  // namespace
}  // namespace deeppool::sql
