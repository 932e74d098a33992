// The files under api/ and what the program really serves: every route described, nothing else, and
// every error that the gateway can answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <set>

#include "apps/platform/health.h"
#include "apps/platform/routes.h"
#include "gateway/openai_error.h"
#include "http/middleware/stack.h"
#include "llm/anthropic/error.h"

namespace deeppool::platform {
namespace {

using testing::HasSubstr;

YAML::Node load(const std::string& name) {
  return YAML::LoadFile(DEEPPOOL_SOURCE_DIR "/api/" + name);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = base::lower(c);
  return out;
}

// "get /v1/models"
std::set<std::string> described(const YAML::Node& api) {
  std::set<std::string> out;
  for (const auto& path : api["paths"]) {
    for (const auto& method : path.second) {
      out.insert(method.first.as<std::string>() + " " + path.first.as<std::string>());
    }
  }
  return out;
}

std::set<std::string> served(const std::vector<http::Route>& routes) {
  std::set<std::string> out;
  for (const http::Route& route : routes) {
    out.insert(lower(http::to_string(route.method)) + " " + route.pattern);
  }
  return out;
}

// The table is made without a look at the parts, so storage will do.
std::vector<http::Route> routes_of_gateway() {
  alignas(gateway::Parts) static std::byte storage[sizeof(gateway::Parts)];
  return gateway_routes(reinterpret_cast<gateway::Parts&>(storage), 1024);
}

TEST(OpenApi, DescribesEveryRouteForCallersAndItsShortForm) {
  std::set<std::string> expected;
  for (const std::string& entry : described(load("v1.yaml"))) {
    expected.insert(entry);
    std::string short_form = entry;
    short_form.erase(entry.find("/v1"), 3);
    expected.insert(short_form);
  }
  EXPECT_EQ(served(routes_of_gateway()), expected);
}

TEST(Routes, BrowsersMayCallThoseOfKeysAndNoOthers) {
  for (const http::Route& route : routes_of_gateway()) {
    EXPECT_TRUE(http::open_to_browsers(route.pattern)) << route.pattern;
  }
  for (const char* path : {"/", "/metrics", "/health/live", "/api/v1/users/login", "/modelsx"}) {
    EXPECT_FALSE(http::open_to_browsers(path)) << path;
  }
}

TEST(OpenApi, DescribesEveryRouteForOperators) {
  const Readiness readiness;
  std::set<std::string> expected = served(health_routes(readiness, ""));
  expected.insert("get /metrics");
  EXPECT_EQ(described(load("operations.yaml")), expected);
}

// A `$ref` within the file.
YAML::Node resolved(const YAML::Node& api, const YAML::Node& node) {
  if (!node["$ref"]) return node;
  YAML::Node at = api;
  std::string path = node["$ref"].as<std::string>().substr(2);
  while (!path.empty()) {
    const size_t slash = path.find('/');
    at.reset(at[path.substr(0, slash)]);
    path = slash == std::string::npos ? "" : path.substr(slash + 1);
  }
  return at;
}

TEST(OpenApi, DescribesEveryErrorOfTheGateway) {
  // What no route for callers answers.
  const std::set<ErrorCode> elsewhere = {ErrorCode::not_found, ErrorCode::conflict,
                                         ErrorCode::unsupported_media_type};
  const YAML::Node api = load("v1.yaml");
  for (const char* path :
       {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"}) {
    for (int i = 0; i < base::kErrorCodeCount; ++i) {
      const auto code = static_cast<ErrorCode>(i);
      if (elsewhere.contains(code)) continue;
      const gateway::OpenAiError shown = gateway::openai_error(code);
      const YAML::Node answer =
          resolved(api, api["paths"][path]["post"]["responses"][std::to_string(shown.status)]);
      ASSERT_TRUE(answer && answer["description"]) << path << " " << shown.status;
      EXPECT_THAT(answer["description"].as<std::string>(), HasSubstr(std::string(shown.code)))
          << path;
    }
  }
}

TEST(OpenApi, DescribesEveryErrorOfAnthropicsRoute) {
  const YAML::Node answers = load("v1.yaml")["paths"]["/v1/messages"]["post"]["responses"];
  for (int i = 0; i < base::kErrorCodeCount; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    if (code == ErrorCode::unsupported_media_type) continue;  // no route for callers answers it
    const gateway::OpenAiError house = gateway::openai_error(code);
    const auto shown =
        llm::anthropic::error_row({house.status, {}, house.type, house.code, {}, {}});
    const YAML::Node answer = answers[std::to_string(shown.status)];
    ASSERT_TRUE(answer && answer["description"]) << to_string(code) << " " << shown.status;
    EXPECT_THAT(answer["description"].as<std::string>(), HasSubstr(std::string(shown.type)))
        << to_string(code);
  }
}

}  // namespace
}  // namespace deeppool::platform
