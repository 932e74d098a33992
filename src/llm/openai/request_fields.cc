#include "llm/openai/request_fields.h"

#include <array>
#include <span>

namespace deeppool::llm {

namespace {

constexpr Field kShared[] = {
    {"model", Shape::model},
    {"user", Shape::string},
};

constexpr Field kGenerating[] = {
    {"n", Shape::choices},
    {"seed", Shape::integer},
    {"stop", Shape::stop},
    {"top_p", Shape::number},
    {"stream", Shape::stream},
    {"logit_bias", Shape::object},
    {"max_tokens", Shape::max_tokens},
    {"temperature", Shape::number},
    {"stream_options", Shape::stream_options},
    {"presence_penalty", Shape::number},
    {"frequency_penalty", Shape::number},
};

constexpr Field kChat[] = {
    {"audio", Shape::object},
    {"store", Shape::boolean},
    {"tools", Shape::tools},
    {"logprobs", Shape::boolean},
    {"messages", Shape::messages},
    {"metadata", Shape::object},
    {"functions", Shape::functions},
    {"verbosity", Shape::string},
    {"modalities", Shape::array},
    {"moderation", Shape::object},
    {"prediction", Shape::object},
    {"tool_choice", Shape::string_or_object},
    {"service_tier", Shape::string},
    {"top_logprobs", Shape::integer},
    {"function_call", Shape::string_or_object},
    {"enable_thinking", Shape::enable_thinking},
    {"response_format", Shape::schema_text},
    {"prompt_cache_key", Shape::string},
    {"reasoning_effort", Shape::reasoning_effort},
    {"safety_identifier", Shape::string},
    {"web_search_options", Shape::object},
    {"parallel_tool_calls", Shape::boolean},
    {"prompt_cache_options", Shape::object},
    {"max_completion_tokens", Shape::max_completion_tokens},
    {"prompt_cache_retention", Shape::string},
};

constexpr Field kCompletions[] = {
    {"echo", Shape::boolean},    {"prompt", Shape::prompt},    {"suffix", Shape::text},
    {"best_of", Shape::best_of}, {"logprobs", Shape::integer},
};

constexpr Field kEmbeddings[] = {
    {"input", Shape::input},
    {"dimensions", Shape::positive},
    {"encoding_format", Shape::encoding_format},
};

constexpr size_t kLongestName = 24;

// All fields of one API, ordered by the length of their names, so that a lookup compares only names
// of the right length (mostly one or two).
struct Table {
  std::array<Field, 48> fields{};
  std::array<uint8_t, kLongestName + 2> first{};  // of each length

  constexpr explicit Table(std::initializer_list<std::span<const Field>> groups) {
    size_t count = 0;
    for (size_t length = 0; length <= kLongestName; ++length) {
      first[length] = static_cast<uint8_t>(count);
      for (const auto group : groups) {
        for (const Field& field : group) {
          if (field.name.size() != length) continue;
          fields[count] = field;
          fields[count].bit = static_cast<int>(count);
          ++count;
        }
      }
    }
    first[kLongestName + 1] = static_cast<uint8_t>(count);
  }

  const Field* find(std::string_view name) const {
    if (name.size() > kLongestName) return nullptr;
    for (size_t i = first[name.size()]; i < first[name.size() + 1]; ++i) {
      if (fields[i].name == name) return &fields[i];
    }
    return nullptr;
  }
};

constexpr Table kChatTable({kShared, kGenerating, kChat});
constexpr Table kCompletionsTable({kShared, kGenerating, kCompletions});
constexpr Table kEmbeddingsTable({kShared, kEmbeddings});

}  // namespace

const Field* find_field(Api api, std::string_view name) {
  switch (api) {
    case Api::chat_completions:
      return kChatTable.find(name);
    case Api::completions:
      return kCompletionsTable.find(name);
    case Api::embeddings:
      return kEmbeddingsTable.find(name);
  }
  return nullptr;
}

}  // namespace deeppool::llm
