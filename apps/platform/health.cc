#include "apps/platform/health.h"

#include "apps/platform/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "http/server/exchange.h"

namespace deeppool::platform {
namespace {

using http::Access;
using http::Exchange;
using http::Method;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kAlive = R"({"code":0,"message":"ok","data":{"status":"healthy"}})";
constexpr std::string_view kReady = R"({"code":0,"message":"ok","data":{"status":"ready"}})";

Task<void> answer(Exchange& x, int status, std::string body) {
  x.add_header("Cache-Control", "no-store");
  Result<void> sent = co_await x.send(status, kJson, body);  // or nobody is there
}

std::string as_list(const std::vector<Readiness::Reason>& reasons) {
  std::string list = "[";
  for (const Readiness::Reason& reason : reasons) {
    list += list.size() == 1 ? "{\"part\":" : ",{\"part\":";
    base::append_json_string(list, reason.part);
    list += ",\"reason\":";
    base::append_json_string(list, reason.text);
    list += '}';
  }
  return list + "]";
}

// The envelope of /api/v1 with what is wrong, for people and for the log of a load balancer.
std::string not_ready_body(const std::vector<Readiness::Reason>& reasons) {
  std::string parts;
  for (const Readiness::Reason& reason : reasons)
    parts += (parts.empty() ? "" : ", ") + reason.part;
  std::string body = R"({"code":503,"message":)";
  base::append_json_string(body, "not ready: " + parts);
  return body + R"(,"data":{"status":"not_ready","reasons":)" + as_list(reasons) + "}}";
}

std::string ready_body(const std::vector<Readiness::Reason>& notes) {
  if (notes.empty()) return std::string(kReady);
  return R"({"code":0,"message":"ok","data":{"status":"ready","notes":)" + as_list(notes) + "}}";
}

Task<void> answer_ready(Exchange& x, const Readiness& readiness) {
  const auto reasons = readiness.reasons();
  const int status = reasons.empty() ? 200 : 503;
  co_await answer(x, status,
                  reasons.empty() ? ready_body(readiness.notes()) : not_ready_body(reasons));
}

}  // namespace

void Readiness::add_note(std::string part, Check check) {
  notes_.push_back({std::move(part), std::move(check)});
}

void Readiness::add(std::string part, Check check) {
  if (rows_.size() >= kMaxReadinessChecks) {
    log::error("too many readiness checks; one is left out", {{"part", part}});
    return;
  }
  rows_.push_back({std::move(part), std::move(check)});
}

std::vector<Readiness::Reason> Readiness::reasons() const {
  switch (phase_.load()) {
    case Phase::starting:
      return {{"program", "starting"}};
    case Phase::stopping:
      return {{"program", "shutting down"}};
    case Phase::serving:
      break;
  }
  return run(rows_);
}

std::vector<Readiness::Reason> Readiness::notes() const {
  return run(notes_);
}

std::vector<Readiness::Reason> Readiness::run(const std::vector<Row>& rows) {
  std::vector<Reason> out;
  for (const Row& row : rows) {
    std::string text = row.check();
    if (!text.empty()) out.push_back({row.part, std::move(text)});
  }
  return out;
}

std::vector<http::Route> health_routes(const Readiness& readiness, const std::string& version) {
  const http::Handler alive = [](Exchange& x) { return answer(x, 200, std::string(kAlive)); };
  const http::Handler ready = [&readiness](Exchange& x) { return answer_ready(x, readiness); };
  std::string text = R"({"version":)";
  base::append_json_string(text, version);
  const http::Handler about = [body = text + "}"](Exchange& x) { return answer(x, 200, body); };
  return {
      {Method::get, "/livez", Access::anyone, 0, alive},
      {Method::get, "/healthz", Access::anyone, 0, alive},
      {Method::get, "/api/v1/health", Access::anyone, 0, alive},
      {Method::get, "/readyz", Access::anyone, 0, ready},
      {Method::get, "/api/v1/health/ready", Access::anyone, 0, ready},
      {Method::get, "/version", Access::anyone, 0, about},
  };
}

}  // namespace deeppool::platform
