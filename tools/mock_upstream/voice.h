// Voice: says one Content in one dialect, as the events of a stream or as a whole. What a dialect
// has of its own stands here; framing, timing and ends are the same for all (Stream, Style). One
// per answer; refers to the Call and the Content.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mock_upstream/behaviour.h"

namespace deeppool::mock {

struct Event {
  std::string_view name;  // of an `event:` line; empty: none
  std::string json;
};
using Events = std::vector<Event>;

class Voice {
 public:
  Voice(const Call& call, const Content& content);
  virtual ~Voice() = default;
  Voice(const Voice&) = delete;
  Voice& operator=(const Voice&) = delete;

  // Each appends to `out`, maybe nothing. The record counts a piece before it is said.
  virtual void open(Events& out) = 0;
  virtual void say(const Piece& piece, Events& out) = 0;
  virtual void close(Events& out) = 0;
  // What stands behind the last event; empty: nothing.
  virtual std::string_view done() const { return ""; }
  // An answer in one JSON text.
  virtual std::string whole() = 0;

  // Stream faults that only a dialect can word.
  virtual Event odd_event() const = 0;   // valid, but without what clients look for
  virtual Event late_event() const = 0;  // more text, after the end
  Event error_event(int status, const ApiError& error) const;
  Event error_text_event() const;

 protected:
  Usage used() const;  // so far
  // The end in the dialect's word, unless the script has another (`finish=`).
  std::string finish(const std::string_view (&words)[4]) const;

  const Call& call_;
  const Content& content_;
  const Style& style_;
};

std::unique_ptr<Voice> make_voice(const Call& call, const Content& content);

std::unique_ptr<Voice> openai_voice(const Call& call, const Content& content);
std::unique_ptr<Voice> anthropic_voice(const Call& call, const Content& content);
std::unique_ptr<Voice> gemini_voice(const Call& call, const Content& content);

}  // namespace deeppool::mock
