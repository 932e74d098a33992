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

  // What events that bring no more than a piece of text have in common around it (their usage
  // aside), and what chunks have around it that are made of them: such events need no full reading.
  struct Mould {
    bool set = false;
    bool has_usage = false;
    std::string head_in;    // up to and with the quote that opens the text
    std::string middle_in;  // from the quote that closes it to the usage, or to the end
    std::string tail_in;    // behind the usage
    std::string head_out;
    std::string tail_out;
  };

  void write_head();
  void make_mould(std::string_view event);
  bool pour(std::string_view event, HouseEvents& out);
  void write_chunk(HouseEvents& out);
  bool write_choice(const CandidatePiece& piece, std::string& text);
  bool all_finished() const { return finished_ >= expected_; }

  AnswerReader answer_;
  const int64_t expected_;
  const int64_t created_;
  std::string head_;  // of every chunk, up to its choices
  std::string scratch_;
  Mould mould_;
  bool plain_chunk_ = false;  // the chunk written last has a text and nothing else
  std::vector<Candidate> candidates_;
  int64_t finished_ = 0;
};

}  // namespace deeppool::provider::gemini
