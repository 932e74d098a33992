#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "idempotency/book.h"
#include "idempotency/limits.h"
#include "testing/databases.h"

namespace deeppool::idempotency {
namespace {

using Kind = Standing::Kind;

base::RequestId request(uint8_t n) {
  base::RequestId id;
  id.bytes[15] = n;
  return id;
}

Ask ask(std::string_view name, std::string_view body, uint8_t who, int64_t key = 7) {
  return {base::ApiKeyId{key}, crypto::sha256(name), crypto::sha256(body), request(who)};
}

KeptAnswer answer(std::string body) {
  return {KeptAnswer::Form::whole, "application/json", {{"x-a", "b"}}, std::move(body)};
}

class IdempotencyBook : public testing::DatabaseTest {
 protected:
  Book& book() {
    if (!book_) book_.emplace(database(), sealer_, request(200));
    return *book_;
  }
  Kind kind(const Ask& a) {
    auto standing = book().claim(a);
    EXPECT_TRUE(standing.ok()) << standing.error().detail;
    return standing->kind;
  }
  void shift(std::string_view column) {
    const bool lease = column == "lease_until";
    auto writer = database().write();
    const auto done = lease ? writer->execute("UPDATE idempotency_keys SET lease_until = 0")
                            : writer->execute("UPDATE idempotency_keys SET expires_at = 0");
    ASSERT_TRUE(done.ok());
  }

  void used(uint8_t who, std::string_view outcome, int64_t tokens) {
    const auto done = database().write()->execute(
        "INSERT INTO usage_records (request_id, user_id, key_id, model_name, api, source, outcome,"
        " status, stream, started_at, duration_ms, prompt_tokens, usage_source, instance)"
        " VALUES (?, 1, 7, 'm', 'chat', 'provider', ?, 200, 1, 0, 0, ?, 'upstream', 'i')",
        request(who), outcome, tokens);
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }

  base::SystemRandom random_;
  crypto::Sealer sealer_{crypto::SecretKey::generate(random_), random_};
  std::optional<Book> book_;
};
DEEPPOOL_EACH_DATABASE(IdempotencyBook);

TEST_P(IdempotencyBook, TheFirstAnswersForAll) {
  const auto first = book().claim(ask("n", "b", 1));
  ASSERT_TRUE(first.ok()) << first.error().detail;
  EXPECT_EQ(first->kind, Kind::claimed);
  EXPECT_EQ(kind(ask("n", "b", 2)), Kind::running);
  EXPECT_EQ(kind(ask("n", "other", 2)), Kind::other_body);
  EXPECT_EQ(kind(ask("m", "b", 2)), Kind::claimed) << "another name";
  EXPECT_EQ(kind(ask("n", "b", 2, 8)), Kind::claimed) << "another API key";
  ASSERT_TRUE(book().keep(first->claim, answer("{\"secret\":1}")).ok());
  const auto again = book().claim(ask("n", "b", 3));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->kind, Kind::answered);
  EXPECT_EQ(again->answer, answer("{\"secret\":1}"));
  EXPECT_EQ(kind(ask("n", "other", 3)), Kind::other_body);
  const auto stored = database().read()->query<std::string>(
      "SELECT answer FROM idempotency_keys WHERE answer IS "
      "NOT NULL");
  ASSERT_EQ(stored->size(), 1u);
  EXPECT_EQ(stored->front().find("secret"), std::string::npos) << "sealed";
}

TEST_P(IdempotencyBook, AReleasedNameIsFree) {
  const auto first = book().claim(ask("n", "b", 1));
  ASSERT_TRUE(book().release(first->claim).ok());
  EXPECT_EQ(kind(ask("n", "other", 2)), Kind::claimed);
}

TEST_P(IdempotencyBook, EndsWithoutAnAnswerAreRemembered) {
  const auto large = book().claim(ask("large", "b", 1));
  ASSERT_TRUE(book().close(large->claim, Book::End::too_large).ok());
  EXPECT_EQ(kind(ask("large", "b", 2)), Kind::too_large);
  const auto cut = book().claim(ask("cut", "b", 1));
  ASSERT_TRUE(book().close(cut->claim, Book::End::cut).ok());
  EXPECT_EQ(kind(ask("cut", "b", 2)), Kind::cut);
}

TEST_P(IdempotencyBook, ADeadClaimIsTakenOverAndChangesNothingAnyMore) {
  const auto first = book().claim(ask("n", "b", 1));
  shift("lease_until");
  ASSERT_TRUE(book().renew(first->claim).ok());
  EXPECT_EQ(kind(ask("n", "b", 2)), Kind::running) << "renewed";
  shift("lease_until");
  const auto second = book().claim(ask("n", "b", 2));
  EXPECT_EQ(second->kind, Kind::claimed);
  EXPECT_EQ(book().keep(first->claim, answer("late")).error().code, ErrorCode::conflict);
  EXPECT_EQ(book().close(first->claim, Book::End::cut).error().code, ErrorCode::conflict);
  ASSERT_TRUE(book().release(first->claim).ok());
  EXPECT_EQ(kind(ask("n", "b", 3)), Kind::running);
  ASSERT_TRUE(book().keep(second->claim, answer("right")).ok());
  EXPECT_EQ(book().claim(ask("n", "b", 3))->answer.body, "right");
}

TEST_P(IdempotencyBook, ANewLifeReleasesItsOwnClaimsOnly) {
  Book other(database(), sealer_, request(201));
  ASSERT_TRUE(other.claim(ask("theirs", "b", 1)).ok());
  ASSERT_TRUE(book().claim(ask("ours", "b", 1)).ok());
  const auto kept = book().claim(ask("kept", "b", 1));
  ASSERT_TRUE(book().keep(kept->claim, answer("x")).ok());
  EXPECT_EQ(*book().release_own(), 1);
  EXPECT_EQ(kind(ask("ours", "b", 2)), Kind::claimed);
  EXPECT_EQ(kind(ask("theirs", "b", 2)), Kind::running);
  EXPECT_EQ(kind(ask("kept", "b", 2)), Kind::answered);
}

TEST_P(IdempotencyBook, WhatWasChargedIsNotMadeAgain) {
  struct Row {
    std::string_view outcome;
    int64_t tokens;
    Kind lapsed;
  };
  const Row rows[] = {{"completed", 5, Kind::too_large},
                      {"stopped_at_limit", 5, Kind::too_large},
                      {"client_aborted", 5, Kind::cut},
                      {"client_aborted", 0, Kind::claimed},
                      {"crash_settled", 0, Kind::claimed}};
  for (uint8_t i = 0; i < std::size(rows); ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    ASSERT_EQ(kind(ask("lapsed " + name, "b", i)), Kind::claimed);
    ASSERT_EQ(kind(ask("dead " + name, "b", static_cast<uint8_t>(100 + i))), Kind::claimed);
    used(i, rows[i].outcome, rows[i].tokens);
    used(static_cast<uint8_t>(100 + i), rows[i].outcome, rows[i].tokens);
  }
  const auto unused = book().claim(ask("unused", "b", 50));
  EXPECT_EQ(*book().release_own(), 5) << "of each kind the two that were free, and the one without";
  for (uint8_t i = 0; i < std::size(rows); ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    EXPECT_EQ(kind(ask("dead " + name, "b", 60)), rows[i].lapsed) << rows[i].outcome;
  }
  const auto again = book().claim(ask("of another life", "b", 70));
  used(70, "client_aborted", 5);
  shift("lease_until");
  EXPECT_EQ(kind(ask("of another life", "b", 71)), Kind::cut);
  EXPECT_EQ(kind(ask("of another life", "b", 72)), Kind::cut) << "and so it stays";
  EXPECT_EQ(book().close(again->claim, Book::End::cut).ok(), true) << "its end, said late";
}

TEST_P(IdempotencyBook, AfterADayTheNameIsFreeAndSwept) {
  const auto first = book().claim(ask("n", "b", 1));
  ASSERT_TRUE(book().keep(first->claim, answer("x")).ok());
  shift("expires_at");
  EXPECT_EQ(kind(ask("n", "other", 2)), Kind::claimed) << "not swept yet";
  EXPECT_EQ(*book().sweep(), 0);
  shift("expires_at");
  EXPECT_EQ(*book().sweep(), 1);
  EXPECT_EQ(*book().sweep(), 0);
}

TEST_P(IdempotencyBook, BytesAndNamesOfAnApiKeyAreBounded) {
  const auto full = book().claim(ask("full", "b", 1));
  ASSERT_TRUE(database()
                  .write()
                  ->execute("UPDATE idempotency_keys SET answer_bytes = ? WHERE id = ?",
                            kMaxBytesPerKey - 10, full->claim.row)
                  .ok());
  const auto next = book().claim(ask("next", "b", 1));
  ASSERT_TRUE(book().keep(next->claim, answer("0123456789")).ok());
  EXPECT_EQ(kind(ask("next", "b", 2)), Kind::too_large);
  std::vector<std::tuple<int64_t, crypto::Digest, crypto::Digest, std::string, base::RequestId,
                         base::RequestId, int64_t, int64_t>>
      rows;
  for (int64_t i = 0; i < kMaxNamesPerKey; ++i) {
    rows.emplace_back(9, crypto::sha256(std::to_string(i)), crypto::Digest{}, "cut", request(1),
                      request(1), int64_t{0}, INT64_MAX);
  }
  const auto filled = database().write()->insert_rows(
      "INSERT INTO idempotency_keys (api_key_id, name_hash, body_hash, state, claim, instance, "
      "lease_until, expires_at) {rows}",
      std::span<const decltype(rows)::value_type>(rows));
  ASSERT_TRUE(filled.ok()) << filled.error().detail;
  EXPECT_EQ(kind(ask("one more", "b", 1, 9)), Kind::too_many);
}

TEST_P(IdempotencyBook, OfManyAtOnceOneIsFirst) {
  book();
  std::atomic<int> claimed{0};
  std::atomic<int> running{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 10; ++i) {
          const auto standing =
              book().claim(ask("n" + std::to_string(i), "b", static_cast<uint8_t>(t + 1)));
          ASSERT_TRUE(standing.ok()) << standing.error().detail;
          claimed += standing->kind == Kind::claimed;
          running += standing->kind == Kind::running;
        }
      });
    }
  }
  EXPECT_EQ(claimed, 10);
  EXPECT_EQ(running, 30);
}

}  // namespace
}  // namespace deeppool::idempotency
