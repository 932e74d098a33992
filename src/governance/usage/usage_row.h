// A finished request as the store keeps it: one row of usage_records. Plain, owns its texts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/ids.h"
#include "governance/spool/record.h"
#include "llm/usage.h"

namespace deeppool::governance {

// What the hold record said; proof that the request was admitted.
struct Held {
  int64_t tokens = 0;
  base::Money money;
};

struct UsageRow {
  base::RequestId request_id;
  base::UserId user;
  base::ApiKeyId key;
  std::optional<base::EndpointId> endpoint;
  std::string model;
  Api api = Api::chat_completions;
  ModelSource source = ModelSource::provider;
  Outcome outcome = Outcome::completed;
  bool stream = false;
  int status = 0;
  int64_t started_at_ms = 0;
  int64_t duration_ms = 0;
  std::optional<int64_t> first_token_ms;
  llm::Usage usage;
  int attempts = 0;
  std::string error_code;
  std::string upstream_request_id;
  Bill bill;
  bool quota_leased = false;
  bool deviates = false;
  std::string served_model;  // empty: `model` itself
  std::optional<Held> held;  // nothing: no hold record was found

  int64_t finished_at_ms() const { return started_at_ms + duration_ms; }
};

// Foreign texts are made fit for the columns: what is not UTF-8 is left out.
UsageRow usage_row(const FinalRecord& record);

// A request whose final record has not come. There is one for every open stream, so it has what a
// row needs if the process dies, and no more.
struct OpenHold {
  struct Progress {  // the last
    std::optional<base::EndpointId> endpoint;
    int64_t duration_ms = 0;
    llm::Usage usage;
    Bill bill;
    std::string served_model;
  };

  int64_t segment = 0;
  base::UserId user;
  base::ApiKeyId key;
  base::PriceId price;
  Held held;
  int64_t started_at_ms = 0;
  std::string model;
  Api api = Api::chat_completions;
  ModelSource source = ModelSource::provider;
  bool stream = false;
  bool quota_leased = false;
  std::unique_ptr<Progress> progress;  // null: none came
};
OpenHold open_hold(const HoldRecord& record, int64_t segment);
void note_progress(OpenHold& hold, const ProgressRecord& record);
// What is charged if its process died: its last progress, or nothing. What is unknown by then stays
// empty: status 0, no error code of the gateway.
UsageRow crash_row(const base::RequestId& id, OpenHold hold);

// Days since 1970-01-01, UTC: the day of token_usage_daily.
int64_t usage_day(int64_t unix_ms);

}  // namespace deeppool::governance
