// Stream: writes one SSE answer in a Style, event by event, paced by absolute times so that a slow
// write does not shift the rest. Lives for one call.
#pragma once

#include <string>

#include "base/clock.h"
#include "mock_upstream/voice.h"

namespace deeppool::mock {

class Stream {
 public:
  Stream(Call& call, const Content& content);
  Task<void> run();

 private:
  Task<bool> open();
  Task<bool> send_content();
  Task<bool> say(int64_t piece);
  Task<bool> close();
  Task<void> break_off();
  Task<void> comment_forever();
  Task<void> end_with(const Event& event);
  Task<bool> send_events();                // what the voice has put into events_
  Task<bool> put(std::string_view bytes);  // raw bytes into the body
  Task<bool> flush();
  Task<bool> wait_for_turn();
  void append_event(std::string& out, const Event& event) const;

  Call& call_;
  const Content& content_;
  const Style& style_;
  const Script& script_;
  const Ending ending_;
  const std::unique_ptr<Voice> voice_;
  const int64_t break_after_;  // content events before a broken ending
  const int64_t piece_;
  const std::chrono::milliseconds chunk_time_;
  base::Instant next_;
  std::string out_;
  Events events_;
  int64_t unflushed_events_ = 0;
};

}  // namespace deeppool::mock
