// Our reader against simdjson's On-Demand API, both walking all of the text and checking every
// value: the measure behind docs/decisions/0004.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <string>

#include "json/padded.h"
#include "json/reader.h"

namespace deeppool::json {
namespace {

PaddedBytes text_of(size_t size) {
  if (size < 300) {
    return PaddedBytes(
        R"({"id":"chatcmpl-A","object":"chat.completion.chunk","created":1795430000,"model":"up",)"
        R"("choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,)"
        R"("finish_reason":null}],)"
        R"("usage":null,"system_fingerprint":"fp_44709d6fcb"})");
  }
  std::string text = R"({"model":"m","stream":true,"temperature":0.7,"messages":[)";
  while (text.size() < size - 150) {
    text +=
        R"({"role":"user","content":"Tell me about the capital of France,\nits history and why )"
        R"(it is called the city of light; be brief, please, and friendly."},)";
  }
  return PaddedBytes(text + R"({"role":"user","content":"ok"}],"max_tokens":100,"user":"u-1"})");
}

void ours(benchmark::State& state) {
  const PaddedBytes text = text_of(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    Reader reader(text.view());
    reader.skip();
    benchmark::DoNotOptimize(reader.finish());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(ours)->Arg(250)->Arg(1024)->Arg(65536);

bool walk(simdjson::ondemand::value value) {
  switch (value.type().value_unsafe()) {
    case simdjson::ondemand::json_type::object:
      for (auto field : value.get_object()) {
        std::string_view key;
        simdjson::ondemand::value inner;
        if (field.unescaped_key().get(key) || field.value().get(inner) || !walk(inner))
          return false;
      }
      return true;
    case simdjson::ondemand::json_type::array:
      for (auto element : value.get_array()) {
        simdjson::ondemand::value inner;
        if (element.get(inner) || !walk(inner)) return false;
      }
      return true;
    case simdjson::ondemand::json_type::string:
      return !value.get_string().error();
    case simdjson::ondemand::json_type::number:
      return !value.get_number().error();
    case simdjson::ondemand::json_type::boolean:
      return !value.get_bool().error();
    case simdjson::ondemand::json_type::null:
      return value.is_null();
  }
  return false;
}

void on_demand(benchmark::State& state) {
  const PaddedBytes text = text_of(static_cast<size_t>(state.range(0)));
  simdjson::ondemand::parser parser;
  for (auto _ : state) {
    simdjson::ondemand::document document;
    const auto error =
        parser.iterate(text.data(), text.size(), text.size() + kPadding).get(document);
    simdjson::ondemand::value root;
    const bool good = !error && !document.get_value().get(root) && walk(root);
    if (!good) state.SkipWithError("simdjson refused the text");
    benchmark::DoNotOptimize(good);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(on_demand)->Arg(250)->Arg(1024)->Arg(65536);

}  // namespace
}  // namespace deeppool::json
