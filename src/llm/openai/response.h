// ResponseRewrite: one whole (non-streamed) answer of an upstream, put into the caller's terms:
// `model` back to its public name, `usage` in full shape, every other byte as it came. Made once
// per answer on its event loop; refers to the body it was made from.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/padded.h"
#include "llm/openai/request.h"
#include "llm/openai/spliced_body.h"
#include "llm/openai/upstream_error.h"
#include "llm/tokenizer/text_tally.h"
#include "llm/usage.h"

namespace deeppool::llm {

struct ResponseRewrite {
  SplicedBody body;  // ready to be sent; empty if there is an `error`
  std::optional<Usage> usage;
  // A 200 that carries an error instead of an answer.
  std::optional<UpstreamError> error;
  std::string finish_reason;  // of the first choice; empty if there is none
  int64_t choice_count = 0;   // for embeddings: the number of vectors
};

// What the caller pays for a usage, as the text of a JSON number that outlives the rewrite. Called
// at most once.
using CostOf = std::function<std::string_view(const Usage&)>;

// Errors: upstream_failed if the body is not a JSON object. `public_model` must outlive the result.
// A body without usage is rewritten with `fallback` in its place, if one is given; every usage gets
// its `cost`, if that is given.
Result<ResponseRewrite> rewrite_response(Api api, const json::PaddedBytes& body,
                                         std::string_view public_model,
                                         const Usage* fallback = nullptr,
                                         const CostOf& cost_of = {});

// The tokens of the text that such a body's choices hold, for answers without usage (not
// embeddings). prompt_tokens is as given; the result is marked as estimated.
Usage estimate_usage(Api api, const json::PaddedBytes& body, int64_t prompt_tokens,
                     const Tokenizer& tokenizer);

}  // namespace deeppool::llm
