// Book: the table idempotency_keys. Who was first with a name (an API key's Idempotency-Key) has a
// claim, which is good while it is renewed; everybody else learns how that request stands. Every
// change is guarded by the claim, so that one that was taken for dead changes nothing any more. One
// per process, owned by services, safe on every thread; all calls block: run them on a pool.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "crypto/hash.h"
#include "crypto/sealer.h"
#include "idempotency/kept_answer.h"
#include "sql/database.h"

namespace deeppool::idempotency {

struct Ask {
  base::ApiKeyId key;
  crypto::Digest name{};
  crypto::Digest body{};      // of the route and the body
  base::RequestId request{};  // who asks
};

// The right to answer for a name.
struct Claim {
  int64_t row = 0;
  base::RequestId request{};
};

struct Standing {
  enum class Kind {
    claimed,     // go on
    running,     // the first request has not ended
    other_body,  // the name was used for something else
    answered,
    too_large,  // answered, but the answer was not kept: too large, or the database was away
    cut,        // the caller left, and paid for what there was
    too_many,   // names of this API key
  };
  Kind kind = Kind::claimed;
  Claim claim;
  KeptAnswer answer;
};

class Book {
 public:
  // `instance` names this program for as long as its data directory lives.
  Book(sql::Database& database, const crypto::Sealer& sealer, base::RequestId instance)
      : database_(database), sealer_(sealer), instance_(instance) {}

  Result<Standing> claim(const Ask& ask);
  Result<void> renew(const Claim& claim);
  // How it ended. The name is then taken for kKept. Errors: conflict when the claim is another's by
  // now. To say it again does no harm.
  Result<void> keep(const Claim& claim, const KeptAnswer& answer);
  enum class End { too_large, cut };
  Result<void> close(const Claim& claim, End end);
  // As if it had never been asked.
  Result<void> release(const Claim& claim);

  // At start, before anything is served and after the usage of earlier lives is stored: their
  // claims are dead. Says how many names are free.
  Result<int64_t> release_own();
  // Deletes what has expired; how many.
  Result<int64_t> sweep();

 private:
  Result<Standing> claim_new(sql::Writer& tx, const Ask& ask);
  Result<Standing> take_over_lapsed(sql::Writer& tx, const Ask& ask, const Claim& dead);
  Result<Standing> take_over(sql::Writer& tx, const Ask& ask, const Claim& dead);

  sql::Database& database_;
  const crypto::Sealer& sealer_;
  const base::RequestId instance_;
};

}  // namespace deeppool::idempotency
