// Requests of OpenAI's Responses API, put into the house dialect. Stateless: what refers to kept
// answers is refused. docs/protocols.md lists what goes where. Pure functions on bytes.
#pragma once

#include <string>

#include "base/error.h"
#include "json/padded.h"

namespace deeppool::llm::responses {

// What of a request its answer goes by.
struct Asked {
  // How reasoning is shown: as it is, or, to those who ask for summaries, in their place.
  enum class Reasoning : uint8_t { text, summary };
  Reasoning reasoning = Reasoning::text;
  bool encrypted_reasoning = false;  // reasoning items carry what the next turn needs
  // Members that every response object repeats: JSON, each with a comma behind it.
  std::string repeated;
};

struct HouseBody {
  json::PaddedBytes body;
  Asked asked;
};
// Errors: invalid_request; `param` is the path in the caller's words ("input[2].content[0].type").
Result<HouseBody> to_house(const json::PaddedBytes& request);

}  // namespace deeppool::llm::responses
