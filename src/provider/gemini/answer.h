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
  bool has_usage() const { return has_usage_; }                      // in what was read last
  const std::optional<llm::Usage>& usage() const { return usage_; }  // the last that was seen
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
  void read_content(json::Reader& reader, CandidatePiece& piece);
  Part read_part(json::Reader& reader) const;
  void add_part(const Part& part, CandidatePiece& piece);
  void add_call(const Part& part, CandidatePiece& piece);
  void read_feedback(json::Reader& reader);
  void read_usage(json::Reader& reader);
  void read_finish(json::Reader& reader, CandidatePiece& piece) const;
  int& call_count(int64_t index);

  std::string_view text_;  // what is being read
  std::vector<CandidatePiece> pieces_;
  size_t count_ = 0;
  std::vector<int> calls_;  // by candidate
  int next_call_ = 0;       // of the whole answer, for ids
  std::string response_id_;
  std::string model_;
  std::optional<llm::Usage> usage_;
  std::string_view error_;
  bool has_usage_ = false;
  bool blocked_ = false;
};

}  // namespace deeppool::provider::gemini
