#include "gateway/messages.h"

#include "base/timestamp.h"
#include "gateway/admission.h"
#include "llm/anthropic/encoder.h"
#include "llm/anthropic/error.h"
#include "llm/anthropic/request.h"

namespace deeppool::gateway {
namespace {

using llm::anthropic::Purpose;

std::string_view header(const http::Exchange& x, std::string_view name) {
  return x.head.headers.find(name).value_or("");
}

Result<llm::anthropic::HouseBody> translate(const http::Exchange& x, Purpose purpose) {
  DP_CHECK(llm::anthropic::check_version(x.head.headers.find("anthropic-version")));
  return llm::anthropic::to_house(x.body, purpose, header(x, "anthropic-beta"));
}

void add_allowance(http::Exchange& x, std::string_view what, const ratelimit::Allowance& a,
                   base::WallTime now) {
  if (a.limit == 0) return;
  const std::string prefix = "anthropic-ratelimit-" + std::string(what) + "-";
  x.add_header(prefix + "limit", std::to_string(a.limit));
  x.add_header(prefix + "remaining", std::to_string(a.remaining));
  x.add_header(prefix + "reset", base::rfc3339(base::unix_seconds(now + a.reset)));
}

// Whose count it is, and of which model.
Result<int64_t> count_tokens(Call& call) {
  DP_CHECK(identify(call));
  DP_TRY(const llm::anthropic::HouseBody house, translate(call.x, Purpose::count));
  DP_TRY(call.view, llm::parse_request(call.api, house.body));
  DP_CHECK(find_model(call));
  const llm::Tokenizer& tokenizer = call.parts.tokenizers.for_model(call.view.model);
  return llm::count_prompt_tokens(call.api, house.body, tokenizer, kCountedTextBytes);
}

}  // namespace

Result<HouseRequest> messages_to_house(const http::Exchange& x) {
  DP_TRY(llm::anthropic::HouseBody house, translate(x, Purpose::answer));
  HouseRequest request;
  request.body = std::move(house.body);
  request.encoder =
      std::make_unique<llm::anthropic::MessagesEncoder>(answer_id(x), house.prompt_tokens);
  return request;
}

void add_anthropic_limits(http::Exchange& x, const ratelimit::Snapshot& limits,
                          base::WallTime now) {
  add_allowance(x, "requests", limits.requests, now);
  add_allowance(x, "tokens", limits.tokens, now);
}

int anthropic_error_status(ErrorCode code) {
  const OpenAiError row = openai_error(code);
  llm::ErrorText text;
  text.status = row.status;
  text.code = row.code;
  return llm::anthropic::error_row(text).status;
}

Task<void> answer_anthropic_error(http::Exchange& x, Error error) {
  prepare_error(x, error);
  const OpenAiError row = openai_error(error.code);
  const auto request_id = x.id.spell();
  const llm::ErrorText text{.status = row.status,
                            .message = error.message,
                            .type = row.type,
                            .code = row.code,
                            .param = error.param,
                            .request_id = {request_id.data(), request_id.size()}};
  const std::string body = llm::anthropic::error_body(text);
  Result<void> sent = co_await x.send(anthropic_error_status(error.code), kJsonContentType, body);
  (void)sent;  // nobody is there to read it
}

Task<void> count_message_tokens(Parts& parts, http::Exchange& x) {
  Call call(parts, x, kMessages);
  const Result<int64_t> tokens = count_tokens(call);
  if (!tokens) {
    co_await answer_anthropic_error(x, tokens.error());
    co_return;
  }
  const std::string body = "{\"input_tokens\":" + std::to_string(*tokens) + "}";
  Result<void> sent = co_await x.send(200, kJsonContentType, body);
  (void)sent;
}

bool speaks_anthropic(const http::Exchange& x) {
  std::string_view path = x.path();
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  if (path == "/messages" || path.starts_with("/messages/")) return true;
  return x.head.headers.find("anthropic-version").has_value();
}

}  // namespace deeppool::gateway
