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
        read_all(reader, output);
      else
        reader.skip();
    }
  }

  TextTally output;
  TextTally reasoning;

 private:
  void read_all(json::Reader& reader, TextTally& texts) {
    for (json::Elements elements(reader); elements.next();) {
      if (reader.peek() == Kind::object)
        read_texts(reader, texts);
      else
        reader.skip();
    }
  }

  // Any object that holds generated text: a choice, its message, a part of its content, a tool call
  // and what is called.
  void read_texts(json::Reader& reader, TextTally& texts) {
    bool reasoned = false;
    for (json::Members members(reader); members.next();) {
      const std::string_view key = members.key();
      const Kind kind = reader.peek();
      const bool thought = key == "reasoning_content" || key == "reasoning" || key == "thinking";
      const bool text = key == "content" || key == "text" || key == "refusal" || key == "name" ||
                        key == "arguments" || key == "input";
      const bool nested =
          key == "message" || key == "function" || key == "custom" || key == "function_call";
      if (kind == Kind::string && text) {
        texts.append_json(reader.text(reader.read_string()));
      } else if (kind == Kind::string && thought && !reasoned) {
        reasoning.append_json(reader.text(reader.read_string()));
        reasoned = true;
      } else if (kind == Kind::object && nested) {
        read_texts(reader, texts);
      } else if (kind == Kind::array && (key == "tool_calls" || key == "content")) {
        read_all(reader, texts);
      } else if (kind == Kind::array && key == "thinking") {
        read_all(reader, reasoning);
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
