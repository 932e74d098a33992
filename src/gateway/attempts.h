// Attempts: tries the candidates of a plan one after another until one answers; candidates.h
// decides which is next. An attempt has answered when its first useful byte is here:
// for a stream the first event that a caller will see, else the whole answer. Until then nothing
// was sent to the caller.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "gateway/call.h"
#include "governance/spool/record.h"
#include "http/limits.h"
#include "http/sse.h"
#include "llm/openai/chunk.h"
#include "llm/openai/response.h"

namespace deeppool::gateway {

struct Translation {
  std::unique_ptr<provider::StreamTranslator> translator;
  provider::HouseEvents events;
};

// Of a stream that goes on with another upstream.
struct Fitting {
  llm::Continuation continuation;
  std::string chunk;
};

// A stream whose first event has come.
struct OpenStream : base::Pooled {
  OpenStream(Call& owner, std::unique_ptr<http::Reply> r, llm::ChunkSettings settings)
      : reply(std::move(r)),
        events(http::kMaxEventBytes),
        chunks(std::move(settings)),
        call_(owner) {}
  enum class End { none, done, upstream_error, malformed, diverged };

  // Feeds a piece of the body; what the caller shall see is appended to `out`, ready as SSE.
  Result<End> feed(std::string_view bytes, std::string& out);
  // After the body's end: an event without its empty line.
  Result<End> feed_last(std::string& out);
  // It broke after its first event, and its endpoint is to blame.
  void broke();

  std::shared_ptr<void> bound_to;  // of a hedged call: outlives `reply`
  provider::EndpointSlot slot;     // held until the stream ends
  std::unique_ptr<http::Reply> reply;
  http::SseParser events;
  llm::ChunkRewriter chunks;
  std::string out;  // what came with the first event
  End end = End::none;
  base::Instant last_sign{};                 // an event came, be it one that shows nothing
  std::unique_ptr<Translation> translation;  // null: the upstream speaks the house dialect
  std::unique_ptr<Fitting> fitting;          // null: from its start to here one upstream's

 private:
  End take(const http::SseEvent& event, std::string& out);
  End translate(const http::SseEvent& event, std::string& out);
  End take_fitted(std::string_view data, std::string& out);
  End take_house(std::string_view data, std::string& out);
  End take_encoded(std::string_view data, std::string& out);

  Call& call_;
  std::string chunk_;  // of the house, on its way into the caller's protocol
};

// A whole answer.
struct WholeAnswer : base::Pooled {
  provider::EndpointSlot slot;
  json::PaddedBytes body;
  llm::ResponseRewrite rewrite;  // refers to `body` and to the model's name
  governance::Bill bill;         // of its usage; none was made of an answer without one
  base::Money::Buffer cost;      // the bill's text, which `rewrite` refers to

  std::string_view price(const governance::Bill& made) {
    bill = made;
    return bill.charged.write(cost);
  }
};

// Whether this answer could go on with another endpoint if it broke off.
bool may_go_on(const Call& call);
// Finds another endpoint to go on with a stream that broke off, behind what its caller was shown;
// notes the seam in the call. Errors: nobody could; of use is only what the stream has learned.
Task<Result<void>> continue_stream(Call& call, OpenStream& stream);

// Errors: what the caller shall be told after the last attempt.
Task<Result<std::unique_ptr<OpenStream>>> open_stream(Call& call);
Task<Result<std::unique_ptr<WholeAnswer>>> fetch_whole(Call& call);

}  // namespace deeppool::gateway
