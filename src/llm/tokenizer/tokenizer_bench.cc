#include <benchmark/benchmark.h>

#include <string>

#include "llm/tokenizer/test_tokenizers.h"
#include "llm/tokenizer/text_tally.h"

namespace deeppool::llm {
namespace {

std::string repeat(std::string_view unit, size_t size) {
  std::string text;
  while (text.size() < size) text += unit;
  return text;
}

constexpr std::string_view kEnglish =
    "The gateway decides where each request goes, guards it, records it and charges for it. "
    "Nothing is serialised again that didn't change; a stream's events leave as they arrive. ";
constexpr std::string_view kChinese =
    "人工智能正在改变世界，大型语言模型可以理解并生成自然语言文本。";
constexpr std::string_view kCode =
    "for (size_t i = 0; i < items.size(); ++i) {\n  total += items[i].price * 100;\n}\n";

void count(benchmark::State& state, std::string_view unit) {
  const Tokenizer& tokenizer = test_tokenizers().for_model("gpt-4o");
  const std::string text = repeat(unit, 16384);
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.count(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

BENCHMARK_CAPTURE(count, english, kEnglish);
BENCHMARK_CAPTURE(count, chinese, kChinese);
BENCHMARK_CAPTURE(count, code, kCode);
BENCHMARK_CAPTURE(count, one_letter, std::string_view("a"));
BENCHMARK_CAPTURE(count, one_symbol, std::string_view("!"));
BENCHMARK_CAPTURE(count, no_words, std::string_view("qzxvkjwp"));

void tally_append(benchmark::State& state) {
  TextTally tally(test_tokenizers().for_model("gpt-4o"));
  for (auto _ : state) tally.append_json(" token");
}
BENCHMARK(tally_append);

void load(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Tokenizers::load(DEEPPOOL_TOKENIZERS));
}
BENCHMARK(load);

}  // namespace
}  // namespace deeppool::llm
