#include "gateway/attempts.h"

#include <algorithm>
#include <concepts>

#include "gateway/answer_events.h"
#include "gateway/attempt.h"
#include "gateway/candidates.h"
#include "gateway/hedge.h"

namespace deeppool::gateway {
namespace {

void take_over(Call& call, Heard& heard) {
  call.dropped = std::move(heard.dropped);
  call.upstream_request_id = std::move(heard.request_id);
}

// Nothing if this endpoint cannot: it would tell another answer.
std::optional<llm::Continuation::How> how_to_go_on(const Call& call, const llm::Said& said,
                                                   const provider::Endpoint& broken,
                                                   const provider::Endpoint& endpoint) {
  using How = llm::Continuation::How;
  if (std::ranges::find(call.broke, endpoint.id) != call.broke.end()) return std::nullopt;
  if (said.text.empty()) return How::fresh;
  if (endpoint.prefix_continuation) return How::prefix;
  const bool alike = endpoint.provider_type == broken.provider_type &&
                     endpoint.upstream_model == broken.upstream_model;
  if (call.view.repeatable && alike) return How::repeated;
  return std::nullopt;
}

template <class Answer, class Try>
Task<Result<std::unique_ptr<Answer>>> first_that_answers(Call& call, Try attempt) {
  Candidates candidates(call);
  while (Candidates::Chosen chosen = candidates.next()) {
    std::unique_ptr<Answer> answer;
    if constexpr (std::same_as<Answer, OpenStream>) {
      if (candidates.hedges(chosen)) {
        answer = co_await open_hedged(call, candidates, std::move(chosen));
        if (answer) co_return answer;
        continue;
      }
    }
    Heard heard;
    const Target target{*chosen.candidate, call.x.scope, heard};
    Failed failure = co_await attempt(call, target, answer);
    take_over(call, heard);
    if (!failure) {
      candidates.answered(chosen);
      answer->slot = std::move(chosen.slot);
      co_return answer;
    }
    if (!candidates.failed(chosen, std::move(*failure))) break;
  }
  co_return candidates.verdict();
}

}  // namespace

bool may_go_on(const Call& call) {
  return call.api == llm::Api::chat_completions && call.view.n == 1 &&
         call.plan.candidates.size() > 1;
}

Task<Result<void>> continue_stream(Call& call, OpenStream& stream) {
  const std::optional<llm::Said> said = stream.chunks.said();
  const provider::Endpoint& broken = *call.endpoint;
  call.broke.push_back(broken.id);
  stream.broke();
  stream.slot.release();
  if (!said) co_return Error(ErrorCode::no_backend, "No endpoint could go on.");
  const int64_t tokens = stream.chunks.tally().tokens();
  const auto how = [&](const routing::Candidate& candidate) {
    return how_to_go_on(call, *said, broken, *candidate.endpoint);
  };
  Candidates candidates(call, Candidates::Ask::once_more);
  while (Candidates::Chosen chosen = candidates.next(
             [&](const routing::Candidate& candidate) { return how(candidate).has_value(); })) {
    const GoingOn begun{*how(*chosen.candidate), *said, tokens};
    Heard heard;
    const Target target{*chosen.candidate, call.x.scope, heard};
    Failed failure = co_await reopen(call, target, begun, stream);
    if (failure) {
      if (!candidates.failed(chosen, std::move(*failure))) break;
      continue;
    }
    take_over(call, heard);
    candidates.answered(chosen);
    stream.slot = std::move(chosen.slot);
    call.seams.push_back({.how = begun.how,
                          .broken = broken.name,
                          .went_on = chosen.candidate->endpoint->name,
                          .said_bytes = static_cast<int64_t>(said->text.size()),
                          .said_tokens = tokens});
    co_return Result<void>();
  }
  co_return Error(ErrorCode::no_backend, "No endpoint could go on.");
}

Task<Result<std::unique_ptr<OpenStream>>> open_stream(Call& call) {
  return first_that_answers<OpenStream>(call, try_stream);
}

Task<Result<std::unique_ptr<WholeAnswer>>> fetch_whole(Call& call) {
  return first_that_answers<WholeAnswer>(call, try_whole);
}

}  // namespace deeppool::gateway
