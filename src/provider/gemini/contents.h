// ContentsWriter: the messages of a house request as Gemini's `systemInstruction` and `contents`:
// turns of user and model in which neighbours of one role are one, results of tools under the names
// of their calls and in their order. Lives on the stack of one translation; refers to the body.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "provider/json_text.h"

namespace deeppool::provider::gemini {

// What a replayed function call must carry: from Gemini 3 on, a thought signature and its id.
enum class Replay : uint8_t { plain, signed_calls };

class ContentsWriter {
 public:
  explicit ContentsWriter(Replay replay) : replay_(replay) {}

  // The `messages` array. Errors: invalid_request with `param`.
  Result<void> add_messages(JsonText messages);
  // Text of the model's that its answer shall go on behind.
  void add_answered(std::string_view text);

  // Behind the last message: complete JSON values. instruction() is empty if there is none.
  std::string contents();
  std::string instruction() const;

 private:
  struct Message {
    std::string role;
    JsonText content;
    JsonText tool_calls;
    JsonText function_call;  // the deprecated form of one call
    JsonText reasoning_details;
    std::string tool_call_id;
    std::string name;
    bool failed = false;  // the tool whose result it is
  };
  struct PendingCall {
    std::string id;
    std::string name;
    std::string response;  // JSON; empty: not answered yet
    std::string media;     // parts, joined by commas
  };

  Message read_message(JsonText message) const;
  Result<void> add_message(const Message& message);
  Result<void> add_system(const Message& message);
  Result<void> add_model(const Message& message);
  Result<void> add_tool_result(const Message& message);
  Result<void> add_content(std::string_view role, JsonText content, std::string_view signature);
  Result<std::string> part_text(JsonText part) const;
  Result<std::string> media_text(std::string_view type, JsonText value) const;
  Result<PendingCall*> find_call(const Message& message);
  void add_calls(const Message& message);
  void add_call(JsonText call, JsonText function, std::string_view signature);
  void close_calls();
  void add_part(std::string_view role, std::string_view part);
  void close_turn();
  std::string path(std::string_view member) const;

  const Replay replay_;
  std::string contents_;
  std::string system_;  // parts, joined by commas
  std::string_view role_;
  std::vector<PendingCall> pending_;
  int message_ = 0;
  mutable int part_ = 0;
};

}  // namespace deeppool::provider::gemini
