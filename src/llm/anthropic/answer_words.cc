#include "llm/anthropic/answer_words.h"

#include "json/padded.h"
#include "json/shallow.h"
#include "llm/usage.h"

namespace deeppool::llm::anthropic {

namespace {

std::string_view stop_reason(const Stop& stop) {
  // Other upstreams put other things there, such as the stop sequence.
  if (stop.finish_reason == "length") {
    constexpr std::string_view kFull = "model_context_window_exceeded";
    return stop.stop_reason == kFull ? kFull : "max_tokens";
  }
  if (stop.finish_reason == "content_filter") return "refusal";
  // Whatever the upstream calls it: tool runners go by this word.
  if (stop.called_tools) return "tool_use";
  if (stop.stop_reason == "pause_turn") return "pause_turn";
  return stop.stop_sequence.empty() ? "end_turn" : "stop_sequence";
}

}  // namespace

std::string message_id(std::string_view upstream, std::string_view own) {
  if (upstream.starts_with("msg_")) return std::string(upstream);
  return "msg_" + std::string(own);
}

void write_stop(JsonOut& json, const Stop& stop) {
  const std::string_view reason = stop_reason(stop);
  json.string("stop_reason", reason);
  if (reason == "stop_sequence") {
    json.raw("stop_sequence", stop.stop_sequence);
  } else {
    json.json("stop_sequence", "null");
  }
}

void write_usage(JsonOut& json, std::string_view house, int64_t prompt_tokens) {
  Usage usage;
  usage.prompt_tokens = prompt_tokens;
  std::string_view cost;
  if (!house.empty()) {
    usage = read_usage(house).value_or(usage);
    cost = json::ShallowObject(json::Value{house})["cost"].text;
  }
  json.object();
  json.number("input_tokens", usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens);
  json.number("cache_creation_input_tokens", usage.cache_write_tokens);
  json.number("cache_read_input_tokens", usage.cached_tokens);
  json.number("output_tokens", usage.completion_tokens);
  if (usage.reasoning_tokens > 0) {
    json.key("output_tokens_details");
    json.object();
    json.number("thinking_tokens", usage.reasoning_tokens);
    json.end_object();
  }
  if (!cost.empty()) json.json("cost", cost);
  json.end_object();
}

void write_tool_input(JsonOut& json, std::string_view escaped) {
  std::string text;
  json::append_unescaped(text, escaped);
  const json::PaddedBytes padded(text);
  json::Reader reader(padded.view());
  if (reader.peek() == json::Kind::object) {
    const json::Range object = reader.skip();
    if (reader.finish()) {
      json.json(reader.text(object));
      return;
    }
  }
  json.object();
  if (text.find_first_not_of(" \t\r\n") != std::string::npos) json.raw("arguments", escaped);
  json.end_object();
}

}  // namespace deeppool::llm::anthropic
