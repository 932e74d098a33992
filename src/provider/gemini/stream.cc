#include "provider/gemini/stream.h"

#include "base/text.h"
#include "provider/gemini/house_text.h"
#include "provider/gemini/limits.h"

namespace deeppool::provider::gemini {

using Verdict = StreamTranslator::Verdict;

Verdict GeminiStream::feed(const http::SseEvent& event, HouseEvents& out) {
  if (event.data.find_first_not_of(" \t\r\n") == std::string_view::npos) return Verdict::more;
  if (event.data == "[DONE]") return Verdict::done;  // some proxies add it
  if (pour(event.data, out)) return Verdict::more;
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
  make_mould(event.data);
  return all_finished() && answer_.has_usage() ? Verdict::done : Verdict::more;
}

// From an event that did nothing but bring one text to a candidate that has begun, whose chunk is
// what scratch_ holds.
void GeminiStream::make_mould(std::string_view event) {
  constexpr std::string_view kEnd = R"("},"finish_reason":null}]})";
  const json::Range text = answer_.only_text_at();
  const bool plain = answer_.candidates().size() == 1 && !text.empty() && plain_chunk_;
  if (!plain || event.size() > kMaxMouldBytes) return;
  const json::Range usage = answer_.usage_at();
  if (!usage.empty() && usage.begin < text.end) return;
  const size_t middle_end = usage.empty() ? event.size() : usage.begin;
  mould_.set = true;
  mould_.has_usage = !usage.empty();
  mould_.head_in = event.substr(0, text.begin);
  mould_.middle_in = event.substr(text.end, middle_end - text.end);
  mould_.tail_in = event.substr(usage.empty() ? event.size() : usage.end);
  mould_.head_out.assign(scratch_, 0, scratch_.size() - kEnd.size() - text.size());
  mould_.tail_out = kEnd;
}

// False: the event is not as the mould has it, and has to be read.
bool GeminiStream::pour(std::string_view event, HouseEvents& out) {
  if (!mould_.set || !event.starts_with(mould_.head_in)) return false;
  const size_t quote = mould_.head_in.size() - 1;
  json::Reader text(event.substr(quote));
  const std::string_view raw = text.text(text.read_string().raw);
  if (raw.empty() || !text.ok() || !base::valid_utf8(raw)) return false;
  std::string_view rest = event.substr(mould_.head_in.size() + raw.size());
  if (!rest.starts_with(mould_.middle_in)) return false;
  rest.remove_prefix(mould_.middle_in.size());
  if (mould_.has_usage) {
    json::Reader usage(rest);
    if (usage.peek() != json::Kind::object) return false;
    const json::Range value = usage.skip();
    if (!usage.ok() || rest.substr(value.end) != mould_.tail_in) return false;
    answer_.remember_usage(usage.text(value));
  } else if (!rest.empty()) {
    return false;
  }
  out.bytes().append(mould_.head_out);
  out.bytes().append(raw);
  out.bytes().append(mould_.tail_out);
  out.end();
  return true;
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
  plain_chunk_ = false;
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
  if (ends || late_usage) {
    if (const auto usage = answer_.usage()) {
      text += R"(,"usage":)";
      llm::append_usage_json(text, *usage);
    }
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
  plain_chunk_ = candidate.begun && !finishes && piece.details.empty() && piece.logprobs.empty() &&
                 piece.images.empty() && piece.tool_calls.empty();
  candidate.begun = true;
  candidate.finished = candidate.finished || finishes;
  finished_ += finishes ? 1 : 0;
  return true;
}

}  // namespace deeppool::provider::gemini
