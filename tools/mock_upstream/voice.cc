#include "mock_upstream/voice.h"

namespace deeppool::mock {

Voice::Voice(const Call& call, const Content& content)
    : call_(call), content_(content), style_(call.behaviour.style) {}

Usage Voice::used() const {
  return usage_of(call_.ask, call_.record.completion_tokens, call_.record.reasoning_tokens);
}

std::string Voice::finish(const std::string_view (&words)[4]) const {
  const std::string_view word = words[static_cast<size_t>(content_.finish)];
  return std::string(call_.ask.script.text("finish", word));
}

Event Voice::error_event(int status, const ApiError& error) const {
  const Dialect dialect = call_.ask.dialect;
  return {dialect == Dialect::anthropic ? "error" : "", error_json(dialect, status, error)};
}

Event Voice::error_text_event() const {
  if (call_.ask.dialect != Dialect::anthropic) return {"", R"({"error":"the engine died"})"};
  return {"error", R"({"type":"error","error":"the engine died"})"};
}

std::unique_ptr<Voice> make_voice(const Call& call, const Content& content) {
  switch (call.ask.dialect) {
    case Dialect::anthropic:
      return anthropic_voice(call, content);
    case Dialect::gemini:
      return gemini_voice(call, content);
    case Dialect::openai:
      break;
  }
  return openai_voice(call, content);
}

}  // namespace deeppool::mock
