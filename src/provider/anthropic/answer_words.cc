#include "provider/anthropic/answer_words.h"

#include <algorithm>

#include "base/text.h"
#include "json/number.h"
#include "llm/limits.h"
#include "provider/anthropic/content.h"

namespace deeppool::provider::anthropic {

using json::Kind;

namespace {

// Leaves `count` as it is if no number comes.
void read_tokens(json::Reader& reader, int64_t& count) {
  if (reader.peek() != Kind::number) {
    reader.skip();
    return;
  }
  const auto number = json::to_integer(reader.text(reader.read_number()));
  if (number) count = std::clamp<int64_t>(*number, 0, llm::kMaxTokens);
}

}  // namespace

void AnswerUsage::read_details(json::Reader& reader, Counts& counts) {
  for (json::Members members(reader); members.next();) {
    if (members.key() == "thinking_tokens") {
      read_tokens(reader, counts.thinking);
    } else {
      reader.skip();
    }
  }
}

void AnswerUsage::read_counts(json::Reader& reader, Counts& counts, Counts* iterations) {
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const Kind kind = reader.peek();
    if (key == "input_tokens") {
      read_tokens(reader, counts.input);
    } else if (key == "cache_creation_input_tokens") {
      read_tokens(reader, counts.cache_write);
    } else if (key == "cache_read_input_tokens") {
      read_tokens(reader, counts.cache_read);
    } else if (key == "output_tokens") {
      read_tokens(reader, counts.output);
    } else if (key == "output_tokens_details" && kind == Kind::object) {
      read_details(reader, counts);
    } else if (key == "iterations" && kind == Kind::array && iterations != nullptr) {
      read_iterations(reader, *iterations);
    } else {
      reader.skip();
    }
  }
}

// The rounds of an answer that compacted its context or asked another model on the way.
void AnswerUsage::read_iterations(json::Reader& reader, Counts& sum) {
  for (json::Elements rounds(reader); rounds.next();) {
    if (reader.peek() != Kind::object) {
      reader.skip();
      continue;
    }
    Counts one;
    read_counts(reader, one, nullptr);
    sum.input += one.input;
    sum.cache_write += one.cache_write;
    sum.cache_read += one.cache_read;
    sum.output += one.output;
    sum.thinking += one.thinking;
  }
}

void AnswerUsage::read(json::Reader& reader) {
  if (reader.peek() != Kind::object) {
    reader.skip();
    return;
  }
  seen_ = true;
  Counts rounds;
  read_counts(reader, counts_, &rounds);
  // The totals beside them may leave rounds out.
  counts_.input = std::max(counts_.input, rounds.input);
  counts_.cache_write = std::max(counts_.cache_write, rounds.cache_write);
  counts_.cache_read = std::max(counts_.cache_read, rounds.cache_read);
  counts_.output = std::max(counts_.output, rounds.output);
  counts_.thinking = std::max(counts_.thinking, rounds.thinking);
}

void AnswerUsage::append_house(std::string& out) const {
  const int64_t prompt = counts_.input + counts_.cache_write + counts_.cache_read;
  const auto member = [&](std::string_view text, int64_t count) {
    out += text;
    base::append_int(out, count);
  };
  member("{\"prompt_tokens\":", prompt);
  member(",\"completion_tokens\":", counts_.output);
  member(",\"total_tokens\":", prompt + counts_.output);
  member(",\"prompt_tokens_details\":{\"cached_tokens\":", counts_.cache_read);
  member(",\"cache_write_tokens\":", counts_.cache_write);
  member("},\"completion_tokens_details\":{\"reasoning_tokens\":",
         std::min(counts_.thinking, counts_.output));
  out += "}}";
}

namespace {

std::string_view finish_reason(std::string_view stop_reason, int tool_calls) {
  if (stop_reason == "max_tokens" || stop_reason == "model_context_window_exceeded") {
    return "length";
  }
  if (stop_reason == "refusal") return "content_filter";
  if (stop_reason == "tool_use") return "tool_calls";
  return tool_calls > 0 ? "tool_calls" : "stop";  // end_turn, stop_sequence, pause_turn
}

// What the house has no word of its own for, and callers of the Messages API act upon.
bool says_more(std::string_view stop_reason) {
  return stop_reason == "pause_turn" || stop_reason == "model_context_window_exceeded";
}

}  // namespace

void append_finish(std::string& out, const Stopped& stopped) {
  out.append(R"("finish_reason":")");
  out.append(finish_reason(stopped.reason, stopped.tool_calls)).append("\"");
  if (says_more(stopped.reason)) {
    out.append(R"(,"stop_reason":")").append(stopped.reason).append("\"");
  }
  if (!stopped.sequence.empty()) {
    out.append(R"(,"stop_sequence":")").append(stopped.sequence).append("\"");
  }
}

void append_house_error(std::string& out, json::Reader& error) {
  std::string_view message;
  std::string_view type;
  if (error.peek() == Kind::object) {
    for (json::Members members(error); members.next();) {
      if (members.key() == "message") {
        message = read_raw_string(error);
      } else if (members.key() == "type") {
        type = read_raw_string(error);
      } else {
        error.skip();
      }
    }
  } else {
    message = read_raw_string(error);
  }
  out.append(R"({"error":{"message":")").append(message);
  out.append(R"(","type":")").append(type).append(R"(","code":null}})");
}

}  // namespace deeppool::provider::anthropic
