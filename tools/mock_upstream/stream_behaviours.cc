// Behaviours that are the plain answer in another style: framing of the stream, usage, timing, and
// how it ends.
#include "mock_upstream/behaviour.h"

namespace deeppool::mock {
namespace {

constexpr std::string_view kPing = "event: ping\ndata: {\"type\":\"ping\"}\n\n";

constexpr Behaviour kRows[] = {
    {"ok", "the plain answer", answer},
    {"slow",
     "thinks for 300 ms, then an event each 100 ms",
     answer,
     {.delay_ms = 300, .chunk_ms = 100}},
    {"slow-first", "the head at once, the first event after 1 s", answer, {.first_ms = 1000}},
    // Lines
    {"crlf", "lines end with CRLF", answer, {.newline = "\r\n"}},
    {"cr", "lines end with CR alone", answer, {.newline = "\r"}},
    {"no-space", "no space after the colon", answer, {.field = "data:"}},
    {"multi-line", "each JSON over two data lines", answer, {.two_lines = true}},
    {"comments", "a comment before each event", answer, {.between = ": thinking\n\n"}},
    {"ping", "ping events with data", answer, {.opening = kPing, .between = kPing}},
    {"event-ping", "ping events without data", answer, {.between = "event: ping\n\n"}},
    {"bom", "a byte order mark first", answer, {.opening = "\xef\xbb\xbf"}},
    {"id-lines",
     "each event has an id, comments between",
     answer,
     {.between = ": beat\n\nid: 7\n"}},
    {"event-lines", "each event is named `message`", answer, {.between = "event: message\n"}},
    {"retry-line", "a retry block first", answer, {.opening = "retry: 3000\n\n"}},
    {"empty-data", "empty data events between", answer, {.between = "data:\n\ndata: \n\n"}},
    {"byte-drip", "one byte per write", answer, {.piece = 1}},
    {"slow-loris", "one byte each 20 ms", answer, {.piece = 1, .piece_ms = 20}},
    {"no-last-blank",
     "the last event lacks its empty line, no [DONE]",
     answer,
     {.done = false, .last_blank = false}},
    {"no-done", "no [DONE]", answer, {.done = false}},
    {"data-after-done", "an event after the end", answer, {.late = true}},
    // Fields
    {"no-usage", "never says its usage", answer, {.usage = UsagePlace::none}},
    {"usage-on-finish",
     "usage in the chunk with the finish reason",
     answer,
     {.usage = UsagePlace::on_finish}},
    {"usage-every-chunk",
     "usage so far in every chunk",
     answer,
     {.usage = UsagePlace::every_chunk}},
    {"zero-usage", "usage is all zeros", answer, {.usage = UsagePlace::zero}},
    {"garbage-usage", "usage of wrong types and signs", answer, {.usage = UsagePlace::garbage}},
    {"no-role", "the first delta has no role", answer, {.role = false}},
    {"no-finish", "no finish reason at the end", answer, {.finish = false}},
    {"no-choices",
     "first an event without `choices`, or of an unknown kind",
     answer,
     {.odd_first = true}},
    // Ends. `after=N` says after how many content events.
    {"cut", "the connection closes inside an event", answer, {.ending = Ending::cut}},
    {"reset", "the connection is reset", answer, {.ending = Ending::reset}},
    {"comments-forever",
     "then a comment each 100 ms for ever",
     answer,
     {.ending = Ending::comments}},
    {"half-open", "stops sending and reading", answer, {.ending = Ending::hold}},
    {"error-event", "an error event, then the end", answer, {.ending = Ending::error_event}},
    {"error-text", "an error event whose error is a text", answer, {.ending = Ending::error_text}},
    {"error-named", "an error event with an event line", answer, {.ending = Ending::error_named}},
    {"never-ending",
     "an event each 10 ms for ever",
     answer,
     {.ending = Ending::forever, .chunk_ms = 10}},
    {"flood", "events as fast as the socket takes them, many per write", answer, {.batch = true}},
    {"flood-forever", "the same, for ever", answer, {.ending = Ending::forever, .batch = true}},
};

}  // namespace

std::span<const Behaviour> stream_behaviours() {
  return kRows;
}

}  // namespace deeppool::mock
