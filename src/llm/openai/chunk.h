// ChunkRewriter: turns the events of one upstream stream into what the caller may see, and learns
// from them what the gateway must know (usage, finish, text). One per relayed stream, on its event
// loop; no allocation per event in steady state. Invariants: what it writes is one line of valid
// JSON; it changes only `model`, `usage` and members whose absence breaks clients, and leaves every
// other byte as it came; an event that is not valid JSON changes nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/padded.h"
#include "llm/openai/continuation.h"
#include "llm/openai/request.h"
#include "llm/openai/upstream_error.h"
#include "llm/tokenizer/text_tally.h"
#include "llm/usage.h"

namespace deeppool::llm {

struct ChunkSettings {
  Api api = Api::chat_completions;  // or completions
  std::string public_model;
  bool caller_wants_usage = false;
  const Tokenizer& tokenizer;  // outlives the rewriter
};

class ChunkRewriter {
 public:
  enum class Verdict : uint8_t {
    relay,      // `out` has the event's new data
    swallow,    // nothing for the caller: a ping, an empty event, the usage chunk
    done,       // [DONE]
    error,      // the upstream reports a failure: see error()
    malformed,  // not a JSON object
  };

  explicit ChunkRewriter(ChunkSettings settings);

  // `event_data` is the data of one SSE event (lines joined by \n), with json::kPadding readable
  // bytes behind it. On `relay` the rewritten JSON is appended to `out`, else `out` stays as it
  // was.
  Verdict feed(std::string_view event_data, std::string& out);

  // The stream is silent: gives back what only makes the reading of the next chunk quicker.
  void rest();
  // From now on the text is kept, for said(), up to kMaxKeptTextBytes.
  void keep_text() { kept_ = std::make_unique<std::string>(); }
  // What a caller was shown, if another upstream could go on from there. Nothing when the text is
  // not kept, for several choices, once a tool was called and behind the end.
  std::optional<Said> said() const;
  // The events that follow are another upstream's: its usage is its own.
  void begin_continuation();

  // The last usage seen, wherever the upstream put it. Null: none.
  const Usage* usage() const { return seen_ ? &seen_->usage : nullptr; }
  // Text has come since then, which that usage cannot have in it.
  bool wrote_behind_usage() const { return seen_ && seen_->behind_bytes != text_bytes(); }
  // For a stream that ended without one. `prompt_tokens` comes from count_prompt_tokens().
  Usage estimated_usage(int64_t prompt_tokens) const;
  bool saw_finish_reason() const { return saw_finish_reason_; }
  // Nothing has come that an answer consists of.
  bool said_nothing() const;
  // After Verdict::error.
  const UpstreamError& error() const { return *error_; }

  // Generated text without and of reasoning.
  const TextTally& tally() const { return tally_; }
  const TextTally& reasoning_tally() const { return reasoning_tally_; }

  // The chunk to write before [DONE] when the caller asked for usage: the upstream's own usage in
  // full shape, or the given one, with `cost` (see append_usage_json). Empty without usage().
  std::string final_usage_chunk(std::string_view cost = {}) const;
  std::string final_usage_chunk(const Usage& usage, std::string_view cost = {}) const;
  // A chunk without choices, with further members ("\"x\":1").
  std::string note_chunk(std::string_view members) const;
  // A chunk that gives a finish_reason to every choice that has none, with the stream's id: "stop",
  // or "tool_calls" or "function_call" after such; `reason` overrides ("length" for a stream ended
  // by us).
  std::string closing_chunk(std::string_view reason = {}) const;
  // Whether some choice that was begun has no finish_reason yet (or none was begun).
  bool needs_closing() const;

 private:
  friend class ChunkWalk;

  struct Choice {
    bool begun = false;
    bool finished = false;
    bool called_tools = false;
    bool called_function = false;  // as `function_call`, the deprecated form
    int next_tool = 0;
    int current_tool = 0;
    friend bool operator==(const Choice&, const Choice&) = default;
  };
  enum class Text : uint8_t { output, reasoning, call };
  struct Generated {  // text of the event being read, tallied once the event proved valid
    json::Range raw;
    Text text;
  };

  // What chunks of one stream have in common around the one text that changes: the bytes that come
  // and those that go out for them. A chunk that fits needs no reading but that of its text.
  struct Mould {
    bool set = false;
    std::string head_in;  // up to and with the quote that opens the text
    std::string tail_in;  // from the quote that closes it
    std::string head_out;
    std::string tail_out;
    Text text = Text::output;
  };
  // Known of a stream's chunks from the second one on: many streams are silent behind the first.
  struct Shape {
    // Most chunks begin alike up to the end of `model`: these bytes need no second reading.
    std::string prefix_in;
    std::string prefix_out;
    Mould mould;  // of the choices as they stand
  };
  struct SeenUsage {
    Usage usage;
    int64_t behind_bytes = 0;  // of text, before it and in its event
    json::PaddedBytes json;
    json::PaddedBytes chunk;  // the upstream's usage-only chunk, as it came
  };

  Verdict settle(std::string_view event_data, const class ChunkWalk& walk);
  void make_mould(std::string_view event_data, const class ChunkWalk& walk, std::string_view made);
  bool pour(std::string_view event_data, std::string& out);
  void note_text(std::string_view raw, Text text);
  TextTally& tally_of(Text text) { return text == Text::reasoning ? reasoning_tally_ : tally_; }
  int64_t text_bytes() const { return tally_.bytes() + reasoning_tally_.bytes(); }
  void remember_usage(std::string_view event_data, json::Range value);
  std::string kept_usage_chunk(std::string_view cost) const;
  std::string open_chunk() const;

  Shape& shape();

  const Api api_;
  const bool caller_wants_usage_;
  bool begun_ = false;  // a chunk was read
  bool saw_finish_reason_ = false;
  std::string model_json_;  // public_model, quoted
  std::string id_json_;     // from the first chunk, quoted
  std::string created_;
  std::vector<Choice> choices_;
  std::vector<Choice> choices_before_;  // to undo an event that proves malformed
  std::vector<Generated> generated_;
  std::unique_ptr<Shape> shape_;     // null: not known
  std::unique_ptr<SeenUsage> seen_;  // null: none
  std::unique_ptr<UpstreamError> error_;
  TextTally tally_;
  TextTally reasoning_tally_;
  std::unique_ptr<std::string> kept_;  // raw JSON text; null: not kept, or too long
};

}  // namespace deeppool::llm
