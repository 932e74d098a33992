// AnswerReader: what one GenerateContentResponse says, in the pieces that house answers are made
// of. A stream's events are such responses, too; one reader serves them all and keeps its buffers,
// so that an event costs no allocation. Invariant: after read() returned true, every text below is
// part of valid JSON. Source: ai.google.dev/api/generate-content, as of 2026-11-15.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/padded.h"
#include "json/reader.h"
#include "llm/usage.h"

namespace deeppool::provider::gemini {

enum class Finish : uint8_t { none, stop, length, content_filter, failed };

// Of one candidate. Texts are JSON string contents, escapes as they came.
struct CandidatePiece {
  int64_t index = 0;
  std::string content;
  std::string reasoning;
  std::string tool_calls;  // elements, joined by commas, as in a stream's delta
  std::string details;     // of reasoning_details, likewise
  std::string images;      // likewise
  std::string logprobs;    // elements of the house's logprobs.content
  Finish finish = Finish::none;
  std::string finish_word;  // Gemini's own

  bool says_nothing() const {
    return content.empty() && reasoning.empty() && tool_calls.empty() && details.empty() &&
           images.empty();
  }
  void clear();
};

class AnswerReader {
 public:
  // `json`: with json::kPadding readable bytes behind. False: it is no JSON object.
  bool read(std::string_view json);

  std::span<CandidatePiece> candidates() { return {pieces_.data(), count_}; }
  // The prompt was refused: there are no candidates, nor will be.
  bool blocked() const { return blocked_; }
  bool has_usage() const { return !usage_at_.empty(); }  // in what was read last
  // The last that was seen. Read on demand: most events of a stream bring one that is not the last.
  std::optional<llm::Usage> usage() const;
  void remember_usage(std::string_view json) {
    usage_json_.clear();
    usage_json_.append(json);
  }
  // Where what was read last has its usage, and the text of its part if it had just one.
  json::Range usage_at() const { return usage_at_; }
  json::Range only_text_at() const { return part_count_ == 1 ? text_at_ : json::Range{}; }
  // The vendor's error object, or empty. Points into what was read.
  std::string_view error() const { return error_; }
  // Of the first response that had one, what may stand in an id of ours; else made up.
  const std::string& response_id();
  const std::string& model() const { return model_; }  // content of a JSON string
  // How many calls candidate `index` has made until now.
  int calls_of(int64_t index) const;

 private:
  struct Part;

  void read_candidates(json::Reader& reader);
  void read_candidate(json::Reader& reader);
  void read_content(json::Reader& reader, const json::Reader& candidate, CandidatePiece& piece);
  Part read_part(json::Reader& reader);
  void add_part(const Part& part, CandidatePiece& piece);
  void add_call(const Part& part, CandidatePiece& piece);
  void read_feedback(json::Reader& reader);
  void read_finish(json::Reader& reader, CandidatePiece& piece) const;
  int& call_count(int64_t index);

  std::string_view text_;  // what is being read
  std::vector<CandidatePiece> pieces_;
  size_t count_ = 0;
  std::vector<int> calls_;  // by candidate
  int next_call_ = 0;       // of the whole answer, for ids
  std::string response_id_;
  std::string model_;
  json::PaddedBytes usage_json_;  // empty: none was seen
  json::Range usage_at_;
  json::Range text_at_;
  int part_count_ = 0;
  std::string_view error_;
  bool blocked_ = false;
};

}  // namespace deeppool::provider::gemini
