// Whatever an upstream sends, the caller gets one line of valid JSON that differs from it only
// where ChunkRewriter says so. The input is a stream: events separated by a NUL, first byte chooses
// settings.
#include <cstdint>
#include <cstdlib>

#include "llm/openai/chunk.h"
#include "llm/openai/fuzz_judge.h"
#include "llm/tokenizer/test_tokenizers.h"

namespace {

using namespace deeppool::llm;
using deeppool::json::PaddedBytes;

bool has_twice(std::string_view text, std::string_view word) {
  return text.find(word) != text.rfind(word);
}

// Takes away what may differ, so that the rest can be compared.
void strip_call(boost::json::value& call) {
  if (!call.is_object()) return;
  for (const char* member : {"index", "type"}) call.as_object().erase(member);
}

void strip_choice(boost::json::value& choice) {
  boost::json::object& object = choice.as_object();
  for (const char* member : {"index", "usage"}) object.erase(member);
  if (!object.contains("delta") || !object["delta"].is_object()) return;
  boost::json::object& delta = object["delta"].as_object();
  for (const char* member : {"role", "reasoning", "reasoning_content"}) delta.erase(member);
  if (!delta.contains("tool_calls") || !delta["tool_calls"].is_array()) return;
  for (boost::json::value& call : delta["tool_calls"].as_array()) strip_call(call);
}

void strip(boost::json::object& chunk) {
  for (const char* member : {"model", "usage"}) chunk.erase(member);
  for (boost::json::value& choice : chunk.at("choices").as_array()) strip_choice(choice);
}

void check(std::string_view event, const std::string& out, bool wants_usage) {
  if (out.find_first_of("\r\n") != std::string::npos) std::abort();
  if (beyond_the_judge(event)) return;
  auto before = judge(event);
  auto after = judge(out);
  if (!before || !after) std::abort();
  boost::json::object& object = after->as_object();
  if (object.at("model").as_string() != "pub\"lic") std::abort();
  if (object.contains("usage") && !(wants_usage && object.at("usage").is_null())) std::abort();
  // A member given twice is one for the judge: which of them stays is not comparable.
  for (const auto word : {"choices", "delta", "tool_calls", "\\u"}) {
    if (has_twice(event, word)) return;
  }
  strip(before->as_object());
  strip(object);
  if (*before != *after) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const bool wants_usage = (bytes[0] & 1) != 0;
  const Api api = (bytes[0] & 2) != 0 ? Api::completions : Api::chat_completions;
  ChunkRewriter stream({api, "pub\"lic", wants_usage, test_tokenizers().for_model("gpt-4o")});
  std::string_view events(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  while (true) {
    const size_t end = events.find('\0');
    const PaddedBytes event(events.substr(0, end));
    std::string out;
    const auto verdict = stream.feed(event.view(), out);
    if (verdict == ChunkRewriter::Verdict::relay)
      check(event.view(), out, wants_usage);
    else if (!out.empty())
      std::abort();
    if (end == std::string_view::npos) break;
    events.remove_prefix(end + 1);
  }
  for (const std::string& own : {stream.closing_chunk(), stream.final_usage_chunk(),
                                 stream.final_usage_chunk(stream.estimated_usage(1))}) {
    if (own.empty() || beyond_the_judge(own)) continue;
    if (!judge(own) || own.find_first_of("\r\n") != std::string::npos) std::abort();
  }
  return 0;
}
