// Whether an endpoint works, found out step by step as a person would: is the server there, is its
// certificate good, does it take the key, which models has it, does one of them answer. Runs on the
// caller's loop over connections of its own, so that every step really happens; nothing is billed
// here, but the upstream may bill the short answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/client/client.h"
#include "provider/adapter.h"
#include "setup/model_list.h"

namespace deeppool::setup {

// What reaches the outside; all of it outlives the check.
struct Outside {
  async::BlockingPool& lookups;
  http::TlsContexts& contexts;
  const http::Proxy& proxy;
  const provider::Adapters& adapters;
};

struct CheckStep {
  enum class State : uint8_t { passed, failed, skipped };
  std::string_view name;  // connect, tls, auth, models, answer
  State state = State::skipped;
  int64_t ms = 0;
  std::string message;  // what was seen; never holds the key
  std::string advice;   // what to do; empty if there is nothing
};
std::string_view to_string(CheckStep::State state);

struct CheckReport {
  std::vector<CheckStep> steps;
  std::vector<ListedModel> models;  // empty if the upstream has no list
  bool passed() const;              // no step failed
};

// `endpoint.upstream_model` answers if it is given, else the first model listed.
Task<CheckReport> check_endpoint(const Outside& outside, const provider::Endpoint& endpoint,
                                 async::CancelScope& scope);

// Errors: upstream_failed with a message for administrators, timeout, cancelled.
Task<Result<std::vector<ListedModel>>> list_upstream_models(const Outside& outside,
                                                            const provider::Endpoint& endpoint,
                                                            async::CancelScope& scope);

}  // namespace deeppool::setup
