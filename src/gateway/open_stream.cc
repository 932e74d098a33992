#include "gateway/attempts.h"

namespace deeppool::gateway {
namespace {

using Verdict = llm::ChunkRewriter::Verdict;

OpenStream::End end_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::relay:
    case Verdict::swallow:
      return OpenStream::End::none;
    case Verdict::done:
      return OpenStream::End::done;
    case Verdict::error:
      return OpenStream::End::upstream_error;
    case Verdict::malformed:
      break;
  }
  return OpenStream::End::malformed;
}

}  // namespace

OpenStream::End OpenStream::take(const http::SseEvent& event, std::string& to) {
  return translation ? translate(event, to) : take_fitted(event.data, to);
}

OpenStream::End OpenStream::take_fitted(std::string_view data, std::string& to) {
  if (fitting) {
    using Fit = llm::Continuation::Fit;
    fitting->chunk.clear();
    const Fit fit = fitting->continuation.fit(data, fitting->chunk);
    if (fit == Fit::nothing) return End::none;
    if (fit == Fit::diverged) return End::diverged;
    if (fit == Fit::chunk) {
      const size_t size = fitting->chunk.size();
      fitting->chunk.append(json::kPadding, '\0');
      data = std::string_view(fitting->chunk).substr(0, size);
    }
  }
  return call_.encoder ? take_encoded(data, to) : take_house(data, to);
}

OpenStream::End OpenStream::translate(const http::SseEvent& event, std::string& to) {
  provider::HouseEvents& house = translation->events;
  house.clear();
  const auto verdict = translation->translator->feed(event, house);
  for (size_t i = 0; i < house.size(); ++i) {
    const End ended = take_fitted(house[i], to);
    if (ended != End::none) return ended;
  }
  switch (verdict) {
    case provider::StreamTranslator::Verdict::more:
      return End::none;
    case provider::StreamTranslator::Verdict::done:
      return End::done;
    case provider::StreamTranslator::Verdict::malformed:
      break;
  }
  return End::malformed;
}

OpenStream::End OpenStream::take_house(std::string_view data, std::string& to) {
  const size_t before = to.size();
  to += "data: ";
  const Verdict verdict = chunks.feed(data, to);
  if (verdict == Verdict::relay) {
    to += "\n\n";
  } else {
    to.resize(before);
  }
  return end_of(verdict);
}

OpenStream::End OpenStream::take_encoded(std::string_view data, std::string& to) {
  chunk_.clear();
  const Verdict verdict = chunks.feed(data, chunk_);
  if (verdict == Verdict::relay) {
    const size_t size = chunk_.size();
    chunk_.append(json::kPadding, '\0');
    call_.encoder->chunk(std::string_view(chunk_).substr(0, size), to);
  }
  return end_of(verdict);
}

Result<OpenStream::End> OpenStream::feed(std::string_view bytes, std::string& to) {
  events.feed(bytes);
  http::SseEvent event;
  while (true) {
    DP_TRY(const bool more, events.next(event));
    if (!more) return End::none;
    last_sign = call_.x.loop_now();
    const End ended = take(event, to);
    if (ended != End::none) return ended;  // what follows [DONE] is not for anybody
  }
}

Result<OpenStream::End> OpenStream::feed_last(std::string& to) {
  http::SseEvent event;
  if (!events.last(event)) return End::none;
  return take(event, to);
}

void OpenStream::broke() {
  slot.failed(provider::Fault::stream_broken, {}, call_.parts.clock.now(), call_.parts.random);
}

}  // namespace deeppool::gateway
