#include "provider/gemini/logprobs.h"

#include "base/text.h"

namespace deeppool::provider::gemini {
namespace {

using json::Reader;

// `"token":...,"logprob":...,"bytes":[...]`
void append_token(std::string& out, JsonText candidate) {
  const JsonText token = member(candidate, "token");
  const JsonText probability = member(candidate, "logProbability");
  out += R"("token":)";
  out += is_string(token) ? token : JsonText("\"\"");
  out += R"(,"logprob":)";
  out += probability.empty() || is_null(probability) ? JsonText("0") : probability;
  out += R"(,"bytes":[)";
  bool first = true;
  for (const char c : decoded(token)) {
    if (!first) out += ',';
    first = false;
    base::append_int(out, static_cast<int>(static_cast<uint8_t>(c)));
  }
  out += ']';
}

void append_alternatives(std::string& out, JsonText step) {
  out += R"(,"top_logprobs":[)";
  const JsonText candidates = member(step, "candidates");
  if (is_array(candidates)) {
    Reader reader(candidates);
    for (json::Elements elements(reader); elements.next();) {
      out += elements.index() == 0 ? "{" : ",{";
      append_token(out, take(reader));
      out += '}';
    }
  }
  out += ']';
}

}  // namespace

void append_logprobs(std::string& out, JsonText result) {
  const JsonText chosen = member(result, "chosenCandidates");
  const JsonText top = member(result, "topCandidates");
  if (!is_array(chosen)) return;
  Reader reader(chosen);
  // Both lists have one element for each step.
  Reader steps(is_array(top) ? top : JsonText("[]"));
  json::Elements step(steps);
  for (json::Elements elements(reader); elements.next();) {
    if (!out.empty()) out += ',';
    out += '{';
    append_token(out, take(reader));
    append_alternatives(out, step.next() ? take(steps) : JsonText());
    out += '}';
  }
}

}  // namespace deeppool::provider::gemini
