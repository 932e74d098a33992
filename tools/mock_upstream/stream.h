// Stream: writes one SSE answer in a Style, event by event, paced by absolute times so that a slow
// write does not shift the rest. Lives for one call.
#pragma once

#include <string>

#include "base/clock.h"
#include "mock_upstream/behaviour.h"

namespace deeppool::mock {

class Stream {
 public:
  Stream(Call& call, const Content& content);
  Task<void> run();

 private:
  Task<bool> open();
  Task<bool> send_content();
  Task<bool> send_piece_events(int64_t piece);
  Task<bool> close();
  Task<bool> break_off();
  Task<bool> event(std::string_view json);
  Task<bool> put(std::string_view bytes);  // raw bytes into the body
  Task<bool> flush();
  Task<bool> wait_for_turn();
  std::string chunk(std::string_view choice, std::string_view usage) const;
  void append_choice(std::string& out, int64_t piece) const;
  std::string_view every_usage();

  Call& call_;
  const Content& content_;
  const Style& style_;
  const Script& script_;
  const std::string prefix_;
  const int64_t break_after_;  // content events before a broken ending
  const int64_t piece_;
  const std::chrono::milliseconds chunk_time_;
  base::Instant next_;
  std::string out_;
  std::string usage_;
  int64_t unflushed_events_ = 0;
};

}  // namespace deeppool::mock
