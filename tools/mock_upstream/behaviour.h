// Behaviour: one way of answering, right or wrong: a row of a table with a name, a sentence and the
// function that does it. Most are the plain answer with one thing changed, which `Style` names. To
// add one, add a row to the table it fits and a line to the itest.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "async/task.h"
#include "mock_upstream/content.h"
#include "mock_upstream/journal.h"
#include "mock_upstream/wire.h"

namespace deeppool::mock {

enum class UsagePlace { as_asked, none, on_finish, every_chunk, zero, garbage };

// How an answer ends once `after` events (or half of an unstreamed body) are out.
enum class Ending {
  complete,
  cut,
  reset,
  hold,
  error_event,
  error_text,
  error_named,
  forever,
  comments
};

// What differs from a plain answer. Script parameters of the same name win over the numbers here.
struct Style {
  std::string_view newline = "\n";
  std::string_view field = "data: ";
  std::string_view opening = "";  // raw bytes before the first event
  std::string_view between = "";  // raw bytes before each event
  UsagePlace usage = UsagePlace::as_asked;
  Ending ending = Ending::complete;
  bool role = true;
  bool finish = true;
  bool done = true;        // the event that says so
  bool odd_first = false;  // an event that clients must pass over
  bool late = false;       // an event after the end
  bool last_blank = true;  // the empty line that ends the last event
  bool two_lines = false;  // each event's JSON over two data lines
  bool batch = false;      // many events in one write
  int64_t piece = 0;       // bytes per write, each its own chunk; 0: an event per write
  int64_t piece_ms = 0;
  int64_t delay_ms = 0;  // before the head
  int64_t first_ms = 0;  // between the head and the first event
  int64_t chunk_ms = 0;  // between two events
};

struct Behaviour;

// One request on its way to its answer.
struct Call {
  const http::RequestHead& head;
  std::string_view body;
  const Ask& ask;
  const Behaviour& behaviour;
  Identity identity;
  Wire& wire;
  Record& record;
};

struct Behaviour {
  std::string_view name;
  std::string_view what;
  Task<void> (*run)(Call& call);
  Style style = {};
};

// The tables. A name that none of them has is `ok`, except `status-<code>`.
std::span<const Behaviour> stream_behaviours();
std::span<const Behaviour> content_behaviours();
std::span<const Behaviour> http_behaviours();
const Behaviour& find_behaviour(std::string_view name);

// The plain answer in the behaviour's style.
Task<void> answer(Call& call);
Task<void> answer_with(Call& call, const Content& content);
// A complete answer with a length; `extra` are whole header lines.
struct Plain {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string_view extra = "";
};
Task<void> send_plain(Call& call, const Plain& plain, std::string_view body);
std::string_view reason_phrase(int status);

// How the answer ends: by the script (`end=cut|reset|half-open|error-event`), else by the style.
Ending ending_of(const Call& call);

// Sleeps as the script or the style says before anything is sent; false if the peer went away.
Task<bool> delay(Call& call);

}  // namespace deeppool::mock
