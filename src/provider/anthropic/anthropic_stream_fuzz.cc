// Whatever bytes come from an upstream: every house event is JSON on one line that our own rewriter
// takes, and how the bytes were divided changes nothing. Whole answers: JSON or an error.
#include <cstdint>
#include <cstdlib>

#include "http/sse.h"
#include "llm/openai/fuzz_judge.h"
#include "provider/anthropic/response.h"
#include "provider/anthropic/stream.h"

namespace {

using namespace deeppool;
using provider::HouseEvents;
using provider::StreamTranslator;

class Run {
 public:
  Run(std::string_view bytes, size_t piece) {
    for (size_t at = 0; at < bytes.size() && !over_; at += piece) feed(bytes.substr(at, piece));
    http::SseEvent event;
    if (!over_ && parser_.last(event)) take(event);
  }
  std::string text;

 private:
  void feed(std::string_view piece) {
    const json::PaddedBytes padded(piece);
    parser_.feed(padded.view());
    http::SseEvent event;
    while (!over_) {
      const auto more = parser_.next(event);
      over_ = !more.ok();
      if (over_ || !*more) return;
      take(event);
    }
  }

  void take(const http::SseEvent& event) {
    const json::PaddedBytes data(event.data);
    house_.clear();
    const auto verdict = stream_.feed({event.type, data.view()}, house_);
    for (size_t i = 0; i < house_.size(); ++i) {
      const std::string_view one = house_[i];
      if (one.find('\n') != std::string_view::npos) std::abort();
      if (!llm::beyond_the_judge(one) && !llm::judge(one)) std::abort();
      text.append(one).append("\n");
    }
    over_ = verdict != StreamTranslator::Verdict::more;
    if (over_) text += verdict == StreamTranslator::Verdict::done ? "done" : "malformed";
  }

  http::SseParser parser_{1 << 16};
  provider::anthropic::Stream stream_{1};
  HouseEvents house_;
  bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const std::string whole = Run(input, size + 1).text;
  if (Run(input, 1).text != whole || Run(input, 7).text != whole) std::abort();
  const auto answer = provider::anthropic::make_house_answer(json::PaddedBytes(input), 1);
  if (answer && !llm::beyond_the_judge(answer->view()) && !llm::judge(answer->view())) std::abort();
  return 0;
}
