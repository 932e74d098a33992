// What an answer of Anthropic's says beside its content, in the house's words: token counts, the
// reason of its end, errors. Shared by whole answers and streams. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json/reader.h"

namespace deeppool::provider::anthropic {

// Anthropic's counts are disjoint: input_tokens leaves out what was written to and read from the
// cache. Counts of a stream's later events replace the earlier ones.
class AnswerUsage {
 public:
  // Takes the counts that the object says, and leaves the others as they were.
  void read(json::Reader& reader);
  bool seen() const { return seen_; }
  // OpenAI's full shape.
  void append_house(std::string& out) const;

 private:
  struct Counts {
    int64_t input = 0;
    int64_t cache_write = 0;
    int64_t cache_read = 0;
    int64_t output = 0;
    int64_t thinking = 0;  // inside output
  };
  static void read_counts(json::Reader& reader, Counts& counts, Counts* iterations);
  static void read_details(json::Reader& reader, Counts& counts);
  static void read_iterations(json::Reader& reader, Counts& sum);

  Counts counts_;
  bool seen_ = false;
};

// How an answer ended; texts as they stand between their quotes.
struct Stopped {
  std::string_view reason;    // Anthropic's stop_reason
  std::string_view sequence;  // the stop sequence that was met; empty: none
  int tool_calls = 0;
};
// The house's members for it: finish_reason, and where it says less than Anthropic's own word,
// that as stop_reason.
void append_finish(std::string& out, const Stopped& stopped);

// `{"error":{...}}` from the value of an `error` member.
void append_house_error(std::string& out, json::Reader& error);

}  // namespace deeppool::provider::anthropic
