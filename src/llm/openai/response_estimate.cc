#include "llm/openai/response.h"

namespace deeppool::llm {

using json::Kind;

namespace {

// Adds up the text of a finished answer; a message has the same members as a delta.
class AnswerText {
 public:
  explicit AnswerText(const Tokenizer& tokenizer) : output(tokenizer), reasoning(tokenizer) {}

  void read(json::Reader& reader) {
    for (json::Members members(reader); members.next();) {
      if (members.key() == "choices" && reader.peek() == Kind::array)
        read_choices(reader);
      else
        reader.skip();
    }
  }

  TextTally output;
  TextTally reasoning;

 private:
  void read_choices(json::Reader& reader) {
    for (json::Elements choices(reader); choices.next();) {
      if (reader.peek() == Kind::object)
        read_texts(reader);
      else
        reader.skip();
    }
  }

  // Any object that holds generated text: a choice, its message, a tool call and what is called.
  void read_texts(json::Reader& reader) {
    bool reasoned = false;
    for (json::Members members(reader); members.next();) {
      const std::string_view key = members.key();
      const Kind kind = reader.peek();
      const bool thought = key == "reasoning_content" || key == "reasoning";
      const bool text = key == "content" || key == "text" || key == "refusal" || key == "name" ||
                        key == "arguments" || key == "input";
      const bool nested =
          key == "message" || key == "function" || key == "custom" || key == "function_call";
      if (kind == Kind::string && text) {
        output.append_json(reader.text(reader.read_string()));
      } else if (kind == Kind::string && thought && !reasoned) {
        reasoning.append_json(reader.text(reader.read_string()));
        reasoned = true;
      } else if (kind == Kind::object && nested) {
        read_texts(reader);
      } else if (kind == Kind::array && key == "tool_calls") {
        read_choices(reader);
      } else {
        reader.skip();
      }
    }
  }
};

}  // namespace

Usage estimate_usage(Api api, const json::PaddedBytes& body, int64_t prompt_tokens,
                     const Tokenizer& tokenizer) {
  Usage usage;
  usage.source = Usage::Source::estimated;
  usage.prompt_tokens = prompt_tokens;
  if (api == Api::embeddings) return usage;
  json::Reader reader(body.view());
  AnswerText text(tokenizer);
  text.read(reader);
  usage.reasoning_tokens = text.reasoning.tokens();
  usage.completion_tokens = text.output.tokens() + usage.reasoning_tokens;
  return usage;
}

}  // namespace deeppool::llm
