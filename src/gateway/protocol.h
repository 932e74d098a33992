// Protocol: how the callers of a route speak, as a table row. Most speak the house dialect; others'
// requests are put into it at the start and its answers back at the end, so that every stage in
// between knows one dialect only.
#pragma once

#include <memory>

#include "async/task.h"
#include "gateway/openai_error.h"
#include "governance/spool/record.h"
#include "llm/answer_encoder.h"
#include "llm/openai/request.h"
#include "ratelimit/limiter.h"

namespace deeppool::gateway {

// A request in the house dialect, and what puts its answer back. stream_options.include_usage is
// set in it, because the encoder needs the usage.
struct HouseRequest {
  json::PaddedBytes body;
  std::unique_ptr<llm::AnswerEncoder> encoder;
};

// For answers in protocols whose ids say what they are: goes behind `msg_`, `resp_` and the like.
inline std::string answer_id(const http::Exchange& x) {
  std::string id;
  for (const char c : x.id.spell()) {
    if (c != '-') id += c;
  }
  return id;
}

struct Protocol {
  llm::Api api;              // of the house request
  governance::Api recorded;  // in usage
  std::string_view metric;   // label
  // Null: callers speak the house dialect. Errors: invalid_request, with `param` in their own
  // words.
  Result<HouseRequest> (*to_house)(const http::Exchange& x) = nullptr;
  // An error before anything of the answer was sent, and its HTTP status.
  Task<void> (*answer_error)(http::Exchange& x, Error error) = answer_openai_error;
  int (*error_status)(ErrorCode code) = openai_error_status;
  // Headers that say how a key's limits stand, beside OpenAI's.
  void (*add_limits)(http::Exchange& x, const ratelimit::Snapshot& limits,
                     base::WallTime now) = nullptr;
};

inline constexpr Protocol kChat{llm::Api::chat_completions, governance::Api::chat_completions,
                                "chat"};
inline constexpr Protocol kCompletions{llm::Api::completions, governance::Api::completions,
                                       "completions"};
inline constexpr Protocol kEmbeddings{llm::Api::embeddings, governance::Api::embeddings,
                                      "embeddings"};

}  // namespace deeppool::gateway
