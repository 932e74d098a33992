// What a request costs: about as much as reading it three times.
#include <benchmark/benchmark.h>

#include <string>

#include "provider/anthropic/test_asking.h"

namespace deeppool::provider::anthropic {
namespace {

// A coding agent's request: a long system prompt, 24 tools, a conversation of `state.range(0)`
// rounds with two calls each.
std::string agent_request(int rounds) {
  std::string text = R"({"model":"claude-opus-4-6","stream":true,"max_tokens":8000,"messages":[)"
                     R"({"role":"system","content":")";
  for (int i = 0; i < 400; ++i) text += "Keep changes small, and tests green.\\n";
  text += R"("},{"role":"user","content":"Fix the test."})";
  for (int i = 0; i < rounds; ++i) {
    const std::string n = std::to_string(i);
    text +=
        R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"a)" + n +
        R"(","type":"function","function":{"name":"t1","arguments":"{\"path\":\"src/a.cc\"}"}},)"
        R"({"id":"b)" +
        n + R"(","type":"function","function":{"name":"t2","arguments":"{\"path\":\"src\"}"}}]})";
    for (const char* id : {"a", "b"}) {
      text += R"(,{"role":"tool","tool_call_id":")" + (id + n) + R"(","content":")";
      for (int line = 0; line < 40; ++line) text += "int value = compute(\\\"x\\\", 12);\\n";
      text += "\"}";
    }
  }
  text += R"(],"tools":[)";
  for (int i = 0; i < 24; ++i) {
    text += i == 0 ? "" : ",";
    text += R"({"type":"function","function":{"name":"t)" + std::to_string(i) +
            R"(","description":"Reads or writes something in the repository.","parameters":)"
            R"({"type":"object","properties":{"path":{"type":"string","description":"A path"}},)"
            R"("required":["path"]}}})";
  }
  return text + "]}";
}

void request(benchmark::State& state) {
  const TestAsking asking(agent_request(static_cast<int>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(asking.made().body.size());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(asking.body.size()));
  state.SetLabel(std::to_string(asking.body.size()) + " bytes");
}
BENCHMARK(request)->Arg(1)->Arg(40);

}  // namespace
}  // namespace deeppool::provider::anthropic
