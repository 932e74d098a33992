// Call: one request on its way through the pipeline, and the RAII that makes every exit settle.
// Owned by the pipeline's coroutine, on its loop. Invariant: once its hold record is in the spool,
// exactly one final record follows, at the latest in the destructor.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/task_group.h"
#include "crypto/hash.h"
#include "gateway/limits.h"
#include "gateway/protocol.h"
#include "governance/funds/funds.h"
#include "governance/spool/spool.h"
#include "http/client/client.h"
#include "http/server/exchange.h"
#include "identity/key_directory.h"
#include "llm/openai/continuation.h"
#include "llm/openai/request.h"
#include "llm/tokenizer/tokenizer.h"
#include "metrics/loop_metrics.h"
#include "provider/adapter.h"
#include "provider/limits.h"
#include "provider/share_budget.h"
#include "ratelimit/inflight_limiter.h"
#include "ratelimit/redis/lease_desk.h"
#include "routing/router.h"

namespace deeppool::gateway {

class Idempotent;
struct IdempotencyDesk;

struct StreamTimeouts {
  base::Duration first_token = std::chrono::seconds(10);
  base::Duration idle = std::chrono::seconds(20);
  base::Duration longest_retry_after = provider::kUsualRetryAfter;  // that is kept
  base::Duration whole =
      std::chrono::seconds(240);  // an answer that is not streamed, by one of several
};

// What the pipeline works with: shared parts, and those of one loop.
struct Parts {
  const base::Clock& clock;
  base::Random& random;
  const identity::KeyDirectory& keys;
  const provider::CatalogDirectory& catalog;
  const routing::Router& router;
  const provider::Adapters& adapters;
  const llm::Tokenizers& tokenizers;
  ratelimit::Limiter& limiter;
  ratelimit::InflightLimiter& inflight;
  governance::Funds& funds;
  const governance::Spool& spool;
  provider::ShareBudget& retries;  // of the whole process
  StreamTimeouts timeouts;
  IdempotencyDesk* idempotency;
  // Of this loop.
  governance::SpoolWriter& writer;
  http::Client& client;
  http::Client& fetcher;       // for URLs that callers choose
  http::Client& users_client;  // for endpoints that users entered: of limited reach
  async::TaskGroup& background;
  ratelimit::LeaseDesk* leases;  // null: limits are this process's own
  metrics::LoopMetrics& metrics;
};

// The tokens that a call may take, as far as one can know now.
struct TokenBound {
  int64_t prompt = 0;
  int64_t output = 0;    // of all choices
  int64_t told = 0;      // of one choice, to the upstream; 0: what the caller said bounds it
  bool counted = false;  // the prompt is as it most likely is, not the most that it can be
};

// Where a stream broke off and went on with another endpoint.
struct Seam {
  llm::Continuation::How how = llm::Continuation::How::fresh;
  std::string broken;      // the endpoint's name
  std::string went_on;     // the other's
  int64_t said_bytes = 0;  // of text, before it
  int64_t said_tokens = 0;
};

// What came of one candidate.
struct AttemptNote {
  const provider::Endpoint* endpoint;
  std::string_view outcome;  // "ok", a fault, or why it was passed over
  int64_t ms;
};

struct Call {
  Call(Parts& p, http::Exchange& exchange, const Protocol& spoken);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  Parts& parts;
  http::Exchange& x;
  const Protocol& protocol;
  const llm::Api api;  // of the house request

  // Filled stage by stage.
  std::shared_ptr<const identity::KeySnapshot> keys;  // keeps `key` alive
  const identity::ApiKey* key = nullptr;
  llm::RequestView view;                        // of x.body, which speaks the house dialect then
  std::unique_ptr<llm::AnswerEncoder> encoder;  // null: the caller speaks the house dialect
  bool shows_seams = false;                     // as the caller asked
  crypto::Digest asked{};  // of the body as it came, where an Idempotency-Key makes it matter
  std::shared_ptr<const routing::Routes> routes;  // keeps `model` and `plan` alive
  const provider::Model* model = nullptr;         // that the caller named
  ratelimit::Permit permit;
  ratelimit::InflightSlot slot;
  TokenBound bound;
  governance::Hold hold;
  std::unique_ptr<Idempotent> idempotent;  // null without an Idempotency-Key
  routing::Plan plan;
  const provider::Model* served = nullptr;       // of the last attempt: `model` or a child of it
  const provider::Endpoint* endpoint = nullptr;  // likewise
  int attempts = 0;
  std::vector<AttemptNote> tried;  // empty where the first candidate answered
  std::vector<Seam> seams;
  std::vector<base::EndpointId> broke;  // they began this answer and did not end it
  std::vector<std::string> dropped;     // parameters that the endpoint was not told
  std::string upstream_request_id;
  int64_t first_token_ms = -1;

  bool recorded = false;  // the hold record is written
  bool finished = false;
  int64_t elapsed_ms() const;
};

}  // namespace deeppool::gateway
