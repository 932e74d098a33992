#include "provider/gemini/stream.h"

#include "base/text.h"
#include "provider/gemini/house_text.h"

namespace deeppool::provider::gemini {

using Verdict = StreamTranslator::Verdict;

Verdict GeminiStream::feed(const http::SseEvent& event, HouseEvents& out) {
  if (event.data.find_first_not_of(" \t\r\n") == std::string_view::npos) return Verdict::more;
  if (event.data == "[DONE]") return Verdict::done;  // some proxies add it
  if (!answer_.read(event.data)) return Verdict::malformed;
  if (!answer_.error().empty()) {
    out.add(house_error(answer_.error()));
    return Verdict::more;
  }
  for (const CandidatePiece& piece : answer_.candidates()) {
    if (piece.finish != Finish::failed) continue;
    out.add(broken_answer(piece.finish_word));
    return Verdict::more;
  }
  write_chunk(out);
  return all_finished() && answer_.has_usage() ? Verdict::done : Verdict::more;
}

void GeminiStream::write_head() {
  head_ = R"({"id":"chatcmpl-)";
  head_ += answer_.response_id();
  head_ += R"(","object":"chat.completion.chunk","created":)";
  base::append_int(head_, created_);
  head_ += R"(,"model":")";
  head_ += answer_.model();
  head_ += R"(","choices":[)";
}

void GeminiStream::write_chunk(HouseEvents& out) {
  if (head_.empty()) write_head();
  std::string& text = scratch_;
  text = head_;
  const size_t empty = text.size();
  const int64_t finished_before = finished_;
  for (const CandidatePiece& piece : answer_.candidates()) {
    if (text.size() > empty && text.back() == '}') text += ',';
    if (!write_choice(piece, text) && text.back() == ',') text.pop_back();
  }
  if (answer_.candidates().empty() && answer_.blocked() && !all_finished()) {
    text += R"({"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)"
            R"("finish_reason":"content_filter"})";
    finished_ = expected_;
  }
  const bool ends = finished_ > finished_before;
  const bool late_usage = all_finished() && answer_.has_usage();
  if (text.size() == empty && !late_usage) return;
  text += ']';
  if ((ends || late_usage) && answer_.usage()) {
    text += R"(,"usage":)";
    llm::append_usage_json(text, *answer_.usage());
  }
  text += '}';
  out.add(text);
}

// False: there was nothing to say.
bool GeminiStream::write_choice(const CandidatePiece& piece, std::string& text) {
  const auto i = static_cast<size_t>(piece.index);
  if (i >= candidates_.size()) candidates_.resize(i + 1);
  Candidate& candidate = candidates_[i];
  const bool finishes = piece.finish != Finish::none && !candidate.finished;
  if (piece.says_nothing() && !finishes) return false;
  text += R"({"index":)";
  base::append_int(text, piece.index);
  text += R"(,"delta":{)";
  const size_t open = text.size();
  if (!candidate.begun) text += R"(,"role":"assistant")";
  append_thoughts(text, piece);
  if (!candidate.begun || !piece.content.empty()) {
    text += R"(,"content":")";
    text += piece.content;
    text += '"';
  }
  append_extra_members(text, piece);
  if (text.size() > open) text.erase(open, 1);  // the first comma
  text += '}';
  if (!piece.logprobs.empty()) {
    text.append(R"(,"logprobs":{"content":[)")
        .append(piece.logprobs)
        .append(R"(],"refusal":null})");
  }
  text += R"(,"finish_reason":)";
  text += finish_text(finishes ? piece.finish : Finish::none, answer_.calls_of(piece.index));
  text += '}';
  candidate.begun = true;
  candidate.finished = candidate.finished || finishes;
  finished_ += finishes ? 1 : 0;
  return true;
}

}  // namespace deeppool::provider::gemini
