// GeminiStream: the events of streamGenerateContent as house chunks. One per stream, on its loop;
// no allocation per event once its buffers have grown.
#pragma once

#include <string>
#include <vector>

#include "provider/adapter.h"
#include "provider/gemini/answer.h"

namespace deeppool::provider::gemini {

class GeminiStream : public StreamTranslator {
 public:
  // `created`: unix seconds.
  GeminiStream(const llm::RequestView& view, int64_t created)
      : expected_(view.n), created_(created) {}

  // The stream has no last word of its own: it is over when every candidate has its finish and the
  // usage has come, or when its body ends.
  Verdict feed(const http::SseEvent& event, HouseEvents& out) override;

 private:
  struct Candidate {
    bool begun = false;
    bool finished = false;
  };

  void write_head();
  void write_chunk(HouseEvents& out);
  bool write_choice(const CandidatePiece& piece, std::string& text);
  bool all_finished() const { return finished_ >= expected_; }

  AnswerReader answer_;
  const int64_t expected_;
  const int64_t created_;
  std::string head_;  // of every chunk, up to its choices
  std::string scratch_;
  std::vector<Candidate> candidates_;
  int64_t finished_ = 0;
};

}  // namespace deeppool::provider::gemini
