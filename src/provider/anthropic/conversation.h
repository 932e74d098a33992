// The messages of a house request in the order that Anthropic demands: turns of user and assistant
// by turns, each tool call answered once at the head of the turn behind it. Made once per request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "provider/anthropic/block.h"

namespace deeppool::provider::anthropic {

struct Conversation {
  std::vector<Block> system;
  std::vector<Turn> turns;              // the first is the user's
  std::vector<std::string> tool_names;  // called so far, raw, each once
  bool ends_with_prefill = false;       // the last turn is the assistant's
  // The last turn answers tool calls that were made without a (signed) thought before them.
  bool unsigned_tool_loop = false;
};

struct ConversationRules {
  bool system_turns = false;  // a system message may stand in the middle
  bool prefill = true;        // the assistant may have the last word
  // Said already by another endpoint; the answer goes on behind it.
  std::string_view answered_text;
};

Conversation arrange(std::vector<Message> messages, const ConversationRules& rules);

// `"system":[...],` (nothing if there is none) and `"messages":[...]`.
void append_conversation(std::string& out, const Conversation& conversation);

}  // namespace deeppool::provider::anthropic
