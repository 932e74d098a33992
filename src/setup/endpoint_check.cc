#include "setup/endpoint_check.h"

#include <algorithm>

#include "base/text.h"
#include "llm/openai/upstream_error.h"
#include "setup/limits.h"

namespace deeppool::setup {
namespace {

using State = CheckStep::State;
using Kind = llm::UpstreamError::Kind;

base::Deadline step_deadline() {
  return {async::Loop::current().now() + kStepTimeout};
}

http::Origin origin_of(const provider::Endpoint& endpoint) {
  return {endpoint.tls, endpoint.host, endpoint.port, endpoint.ca_file};
}

// Bounded, and without the key, which some upstreams repeat.
std::string cleaned(std::string text, std::string_view key) {
  for (size_t at = 0; !key.empty() && (at = text.find(key, at)) != std::string::npos;) {
    text.replace(at, key.size(), "***");
  }
  if (text.size() > kMaxQuotedBytes) {
    text.resize(kMaxQuotedBytes);
    while (!base::valid_utf8(text)) text.pop_back();
    text += "...";
  }
  return base::valid_utf8(text) ? text : "(bytes that are not text)";
}

std::string told(const Error& error, std::string_view key) {
  std::string text = error.message;
  if (!error.detail.empty()) text += " (" + error.detail + ")";
  return cleaned(std::move(text), key);
}

struct HttpAnswer {
  int status = 0;
  json::PaddedBytes body;
  std::optional<llm::UpstreamError> error;

  bool key_refused() const {
    return status == 401 || status == 403 || (error && error->kind == Kind::authentication);
  }
};

Task<Result<HttpAnswer>> exchange(http::Client& client, const http::Origin& origin,
                                  http::OutgoingRequest request, async::CancelScope& scope) {
  const base::Deadline deadline = step_deadline();
  Result<std::unique_ptr<http::Reply>> reply =
      co_await client.request(origin, request, deadline, scope);
  if (!reply) co_return std::move(reply).error();
  HttpAnswer answer;
  answer.status = (*reply)->head().status;
  while (!(*reply)->complete()) {
    Result<std::string_view> piece = co_await (*reply)->read(deadline);
    if (!piece) co_return std::move(piece).error();
    if (answer.body.size() + piece->size() > kMaxListBytes) {
      co_return Error(ErrorCode::upstream_failed, "The upstream sent too much.");
    }
    answer.body.append(*piece);
  }
  answer.error = llm::find_error(answer.body.view());
  co_return answer;
}

struct Advice {
  int status;
  std::string_view text;
};
constexpr Advice kAdvice[] = {
    {400, "Check `provider_type` and `upstream_model`."},
    {401, "Check `api_key`: the upstream does not know it."},
    {402, "The upstream's account has no balance: top it up."},
    {403, "The key is known but not allowed: check its project, region and allowed addresses."},
    {404, "Nothing is there: check the path of `endpoint` (most servers want /v1) and the model."},
    {405, "Check the path of `endpoint`."},
    {429, "The upstream limits this key: wait, or raise its limits."},
};

std::string_view advice_for(const HttpAnswer& answer) {
  if (answer.error && answer.error->kind == Kind::insufficient_quota) return kAdvice[2].text;
  const int status = answer.key_refused() && answer.status == 400 ? 401 : answer.status;
  for (const Advice& row : kAdvice) {
    if (row.status == status) return row.text;
  }
  return status >= 500 ? "The upstream is in trouble: try again later."
                       : "Check that `endpoint` is the base URL of an API.";
}

class Check {
 public:
  Check(const Outside& outside, const provider::Endpoint& endpoint, async::CancelScope& scope)
      : outside_(outside),
        endpoint_(endpoint),
        scope_(scope),
        origin_(origin_of(endpoint)),
        client_(async::Loop::current(), outside.lookups, outside.contexts, outside.proxy) {}

  Task<CheckReport> run() {
    const bool reached = co_await connect();
    const bool listed = reached && co_await list();
    if (listed) co_await answer();
    for (const std::string_view name : {"auth", "models", "answer"}) skip(name);
    co_return std::move(report_);
  }

  Task<Result<std::vector<ListedModel>>> models() {
    Result<HttpAnswer> got = co_await ask_for_models();
    if (!got) co_return Error(ErrorCode::upstream_failed, told(got.error(), endpoint_.api_key));
    if (got->status != 200) {
      co_return Error(ErrorCode::upstream_failed, said(*got) + " " + std::string(advice_for(*got)));
    }
    co_return read_model_list(got->body.view());
  }

 private:
  // Both at once through a proxy, whose tunnel starts with TLS.
  Task<bool> connect() {
    http::Dialer dialer(outside_.lookups, outside_.contexts, outside_.proxy);
    const bool tunnelled = outside_.proxy.applies_to(origin_);
    http::Origin plain = origin_;
    plain.tls = origin_.tls && tunnelled;
    const bool reached = co_await dial(dialer, plain, "connect");
    if (!reached) {
      advise(
          "Check host and port of `endpoint`, the firewall between, and the proxy if there is "
          "one.");
      co_return false;
    }
    if (!origin_.tls || tunnelled) co_return true;
    const bool secured = co_await dial(dialer, origin_, "tls");
    if (!secured) {
      advise(
          "The certificate is not trusted, or is for another name: check the host, or name the "
          "authority in `ca_file`.");
    }
    co_return secured;
  }

  Task<bool> dial(http::Dialer& dialer, const http::Origin& origin, std::string_view name) {
    begin(name);
    async::TlsResumption none;
    Result<std::unique_ptr<async::Socket>> socket =
        co_await dialer.dial(origin, none, step_deadline(), scope_);
    if (socket) {
      end(State::passed, name == "tls" ? "The certificate is good." : "The server is there.");
    } else {
      end(State::failed, told(socket.error(), endpoint_.api_key));
    }
    co_return socket.ok();
  }

  Task<Result<HttpAnswer>> ask_for_models() {
    const std::string head = model_list_head(endpoint_);
    const http::OutgoingRequest request{http::Method::get, head, {}};
    Result<HttpAnswer> answer = co_await exchange(client_, origin_, request, scope_);
    co_return answer;
  }

  // False: nothing more can be found out.
  Task<bool> list() {
    begin("auth");
    Result<HttpAnswer> got = co_await ask_for_models();
    if (!got) {
      end(State::failed, told(got.error(), endpoint_.api_key));
      advise("Check that `endpoint` is the base URL of an API.");
      co_return false;
    }
    if (got->key_refused()) {
      end(State::failed, said(*got));
      advise(advice_for(*got));
      co_return false;
    }
    Result<std::vector<ListedModel>> models = read_model_list(got->body.view());
    if (got->status == 200 && models) {
      end(State::passed, endpoint_.api_key.empty() ? "No key is wanted." : "The key is taken.");
      begin("models");
      end(State::passed, std::to_string(models->size()) + " models.");
      report_.models = *std::move(models);
      co_return true;
    }
    // Some servers have no list: the answer will tell of the key.
    end(State::skipped, "The list of models does not tell.");
    begin("models");
    end(State::skipped, "No list of models: " + said(*got));
    co_return true;
  }

  Task<void> answer() {
    std::string model = endpoint_.upstream_model;
    if (model.empty() && !report_.models.empty()) model = report_.models.front().id;
    if (model.empty()) {
      begin("answer");
      end(State::skipped, "No model to ask.");
      advise("Give `upstream_model`.");
      co_return;
    }
    begin("answer");
    co_await try_answer(model);
  }

  Task<void> try_answer(const std::string& model) {
    std::string text = "{\"model\":";
    base::append_json_string(text, model);
    text += R"(,"messages":[{"role":"user","content":"Say OK."}]})";
    const json::PaddedBytes body(text);
    const Result<llm::RequestView> view = llm::parse_request(llm::Api::chat_completions, body);
    provider::Endpoint asked = endpoint_;
    asked.upstream_model = model;
    provider::Model served;
    served.name = model;
    const provider::Adapter& adapter = outside_.adapters.of(asked);
    Result<provider::UpstreamRequest> request =
        view ? adapter.request({.view = *view,
                                .body = body,
                                .endpoint = asked,
                                .model = served,
                                .output_limit = kTrialTokens,
                                .request_id = "endpoint-check",
                                .traceparent = {},
                                .answered_text = {}})
             : Result<provider::UpstreamRequest>(Error(view.error()));
    if (!request) {
      end(State::failed, told(request.error(), endpoint_.api_key));
      co_return;
    }
    Result<HttpAnswer> got = co_await exchange(
        client_, origin_, {http::Method::post, request->head, request->body.pieces()}, scope_);
    if (!got) {
      end(State::failed, told(got.error(), endpoint_.api_key));
      co_return;
    }
    if (got->status != 200 || got->error) {
      end(State::failed, said(*got));
      advise(advice_for(*got));
      co_return;
    }
    Result<json::PaddedBytes> house = adapter.house_answer(*view, std::move(got->body));
    if (house && house->view().find("\"choices\"") != std::string_view::npos) {
      end(State::passed, "`" + cleaned(model, "") + "` answers.");
    } else {
      end(State::failed, "What came is no answer of this kind of provider.");
      advise("Check `provider_type`.");
    }
  }

  std::string said(const HttpAnswer& answer) const {
    std::string text = "The upstream says " + std::to_string(answer.status);
    if (answer.error && !answer.error->message.empty()) {
      text += ": " + cleaned(answer.error->message, endpoint_.api_key);
    }
    return text + ".";
  }

  void begin(std::string_view name) {
    report_.steps.push_back({.name = name, .message = {}, .advice = {}});
    began_ = std::chrono::steady_clock::now();
  }
  void end(State state, std::string message) {
    CheckStep& step = report_.steps.back();
    step.state = state;
    step.message = std::move(message);
    const auto took = std::chrono::steady_clock::now() - began_;
    step.ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  }
  void advise(std::string_view advice) { report_.steps.back().advice = advice; }
  void skip(std::string_view name) {
    const auto named = [name](const CheckStep& step) { return step.name == name; };
    if (std::ranges::any_of(report_.steps, named)) return;
    report_.steps.push_back({.name = name, .message = "Not reached.", .advice = {}});
  }

  const Outside& outside_;
  const provider::Endpoint& endpoint_;
  async::CancelScope& scope_;
  const http::Origin origin_;
  http::Client client_;
  CheckReport report_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::passed:
      return "passed";
    case State::failed:
      return "failed";
    case State::skipped:
      break;
  }
  return "skipped";
}

bool CheckReport::passed() const {
  return std::ranges::none_of(steps,
                              [](const CheckStep& step) { return step.state == State::failed; });
}

Task<CheckReport> check_endpoint(const Outside& outside, const provider::Endpoint& endpoint,
                                 async::CancelScope& scope) {
  Check check(outside, endpoint, scope);
  CheckReport report = co_await check.run();
  co_return report;
}

Task<Result<std::vector<ListedModel>>> list_upstream_models(const Outside& outside,
                                                            const provider::Endpoint& endpoint,
                                                            async::CancelScope& scope) {
  Check check(outside, endpoint, scope);
  Result<std::vector<ListedModel>> models = co_await check.models();
  co_return models;
}

}  // namespace deeppool::setup
