// Adapter: one vendor's dialect over the house dialect (OpenAI's chat completions as JSON text):
// how a house request is said to an endpoint, and how its answers are put back. Stateless, made
// once by services, shared by all loops. What a conversation needs from turn to turn travels in the
// request itself, in extension members that docs/dialects.md lists.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/text_buffer.h"
#include "http/sse.h"
#include "json/padded.h"
#include "llm/openai/request.h"
#include "provider/catalog.h"

namespace deeppool::provider {

// What an endpoint is asked. Everything outlives the UpstreamRequest made of it.
struct Asking {
  const llm::RequestView& view;
  const json::PaddedBytes& body;  // the house request that `view` was made of
  const Endpoint& endpoint;
  const Model& model;  // the one that `endpoint` serves
  // A bound on the answer, in the place of the caller's own if there is one; 0: as the caller
  // wrote.
  int64_t output_limit = 0;
  std::string_view request_id;   // ours; for the upstream's log
  std::string_view traceparent;  // may be empty
  // What of the answer's text the caller has already: the endpoint shall go on behind it. Empty for
  // an answer from its start; only for endpoints with prefix_continuation.
  std::string_view answered_text;
};

// Ready to be sent. Refers to the Asking's body and endpoint.
struct UpstreamRequest {
  base::TextBuffer head;  // request line and headers, complete
  llm::SplicedBody body;  // pieces of the house body, or owned text
  // Names of the caller's parameters that this target does not take and that were left out.
  std::vector<std::string> dropped;
};

// House events made of one vendor event: JSON objects, one line each, with json::kPadding readable
// bytes behind every one. Reused from event to event.
class HouseEvents {
 public:
  // Begins an event; append its text to bytes(), then end().
  json::PaddedBytes& bytes() { return bytes_; }
  void end();
  void add(std::string_view json);
  void clear();
  size_t size() const { return ends_.size(); }
  // Valid until the next change.
  std::string_view operator[](size_t i) const;

 private:
  json::PaddedBytes bytes_;
  std::vector<uint32_t> ends_;
};

// Turns the events of one stream into house events. One per stream, on its loop.
class StreamTranslator {
 public:
  enum class Verdict : uint8_t {
    more,
    done,       // the answer is complete: what a house stream says by [DONE]
    malformed,  // not what this vendor sends
  };
  virtual ~StreamTranslator() = default;
  // An error that the vendor reports becomes a house event {"error":{"message","type","code"}} with
  // the vendor's own words, which llm::find_error understands.
  virtual Verdict feed(const http::SseEvent& event, HouseEvents& out) = 0;
};

class Adapter {
 public:
  virtual ~Adapter() = default;

  // Errors: invalid_request (param set) for what cannot be said to this vendor.
  virtual Result<UpstreamRequest> request(const Asking& asking) const = 0;
  // Null: the vendor streams in the house dialect. `view` outlives the translator.
  virtual std::unique_ptr<StreamTranslator> translator(const llm::RequestView& view) const;
  // Whether the vendor gets a picture or document at this http(s) URL by itself; what it does not,
  // the gateway puts into the request.
  virtual bool fetches(const Endpoint& endpoint, std::string_view url) const;
  // A whole answer with status 200. Errors: upstream_failed for what this vendor never sends. A
  // body that is an error (llm::find_error) passes unchanged.
  virtual Result<json::PaddedBytes> house_answer(const llm::RequestView& view,
                                                 json::PaddedBytes body) const;
};

// The adapters by provider_type. Owned by services.
class Adapters {
 public:
  // `clock` dates the answers of vendors that do not; it outlives the adapters.
  explicit Adapters(const base::Clock& clock);
  ~Adapters();
  // Never fails: an unknown type is spoken to as `custom`.
  const Adapter& of(const Endpoint& endpoint) const;

 private:
  struct Row {
    std::string_view provider_type;
    std::unique_ptr<const Adapter> adapter;
  };
  std::vector<Row> rows_;
};

}  // namespace deeppool::provider
