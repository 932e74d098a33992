#include "provider/anthropic/conversation.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "base/text.h"
#include "provider/anthropic/raw_text.h"
#include "provider/anthropic/tool_ids.h"

namespace deeppool::provider::anthropic {
namespace {

using Kind = Block::Kind;

// Stands where Anthropic demands a turn of the user's and the caller has none.
constexpr std::string_view kNothingSaid = "(no message)";
// Asks for what follows the assistant's last words, where a model refuses to go on behind them.
constexpr std::string_view kGoOn = "Continue.";
constexpr std::string_view kUnanswered =
    R"("content":"No result was given for this call.","is_error":true)";

void move_to_end(std::vector<Block>& to, std::vector<Block> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

std::string raw_of(std::string_view text) {
  std::string quoted;
  base::append_json_string(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

// A system message within a user's turn.
std::vector<Block> folded(std::vector<Block> blocks) {
  for (Block& block : blocks) block.json = "<system>\\n" + block.json + "\\n</system>";
  return blocks;
}

Block result_block(Message answer) {
  Block result;
  result.kind = Kind::tool_result;
  result.cache_control = std::move(answer.cache_control);
  const std::vector<Block>& blocks = answer.blocks;
  if (blocks.size() == 1 && blocks[0].kind == Kind::text && blocks[0].cache_control.empty()) {
    result.json = "\"content\":\"" + blocks[0].json + "\"";
  } else if (!blocks.empty()) {
    result.json = "\"content\":[";
    for (const Block& block : blocks) {
      if (result.json.back() != '[') result.json += ',';
      append_block(result.json, block);
    }
    result.json += ']';
  }
  if (answer.tool_failed)
    result.json.append(result.json.empty() ? "" : ",").append("\"is_error\":true");
  return result;
}

class Arranger {
 public:
  explicit Arranger(const ConversationRules& rules) : rules_(rules) {}

  void add(Message message) {
    switch (message.role) {
      case Role::system:
        add_system(std::move(message.blocks));
        break;
      case Role::user:
        add_user(std::move(message.blocks));
        break;
      case Role::assistant:
        add_assistant(std::move(message.blocks));
        break;
      case Role::tool:
        add_answer(std::move(message));
        break;
    }
  }

  Conversation finish() {
    settle_calls();
    end_with_user_or_text();
    begin_with_user();
    note_tool_loop();
    return std::move(made_);
  }

 private:
  struct Call {
    std::string house_id;
    std::string id;
    std::optional<Block> result;
  };

  void push(Role role, std::vector<Block> blocks) {
    if (blocks.empty()) return;
    if (made_.turns.empty() || made_.turns.back().role != role) made_.turns.push_back({role, {}});
    move_to_end(made_.turns.back().blocks, std::move(blocks));
  }

  void add_system(std::vector<Block> blocks) {
    if (made_.turns.empty()) {
      last_system_at_ = made_.system.size();
      move_to_end(made_.system, std::move(blocks));
    } else if (rules_.system_turns && calls_.empty()) {
      push(Role::system, std::move(blocks));
    } else {
      add_user(folded(std::move(blocks)));
    }
  }

  void add_user(std::vector<Block> blocks) {
    if (calls_.empty()) {
      push(Role::user, std::move(blocks));
    } else {
      move_to_end(behind_results_, std::move(blocks));
    }
  }

  void add_assistant(std::vector<Block> blocks) {
    settle_calls();
    for (Block& block : blocks) {
      if (block.kind != Kind::tool_use) continue;
      std::string id = free_id(block.tool_id);
      calls_.push_back({std::move(block.tool_id), id, std::nullopt});
      block.tool_id = std::move(id);
      if (std::find(made_.tool_names.begin(), made_.tool_names.end(), block.tool_name) ==
          made_.tool_names.end()) {
        made_.tool_names.push_back(block.tool_name);
      }
    }
    push(Role::assistant, std::move(blocks));
  }

  // Some engines number the calls of every answer from 0: the second of a name gets another.
  std::string free_id(std::string_view house_id) {
    const std::string id = house_id.empty() ? "call" : to_tool_id(house_id);
    std::string free = id;
    for (int n = 2; !used_ids_.insert(free).second; ++n) free = id + "_" + std::to_string(n);
    return free;
  }

  void add_answer(Message answer) {
    const auto call = std::find_if(calls_.begin(), calls_.end(), [&](const Call& c) {
      return !c.result && (answer.tool_id.empty() || c.house_id == answer.tool_id);
    });
    if (call != calls_.end()) {
      std::string id = call->id;
      call->result = result_block(std::move(answer));
      call->result->tool_id = std::move(id);
      return;
    }
    // Nothing asked for it (any more): what it says is told as the user's words.
    std::vector<Block> told = {text_block("[Result of tool call " + raw_of(answer.tool_id) + "]")};
    move_to_end(told, std::move(answer.blocks));
    add_user(std::move(told));
  }

  // Ends the user's turn behind tool calls: all results first.
  void settle_calls() {
    std::vector<Call> calls = std::move(calls_);
    std::vector<Block> behind = std::move(behind_results_);
    calls_.clear();
    behind_results_.clear();
    std::vector<Block> results;
    for (Call& call : calls) {
      if (!call.result) {
        call.result.emplace();
        call.result->kind = Kind::tool_result;
        call.result->json = kUnanswered;
        call.result->tool_id = call.id;
      }
      results.push_back(*std::move(call.result));
    }
    push(Role::user, std::move(results));
    push(Role::user, std::move(behind));
  }

  void end_with_user_or_text() {
    std::vector<Turn>& turns = made_.turns;
    if (!turns.empty() && turns.back().role == Role::system) {
      std::vector<Block> blocks = folded(std::move(turns.back().blocks));
      turns.pop_back();
      push(Role::user, std::move(blocks));
    }
    if (!rules_.answered_text.empty()) {
      push(Role::assistant, {text_block(raw_of(rules_.answered_text))});
    }
    if (turns.empty() || turns.back().role != Role::assistant) return;
    trim_last_turn();
    made_.ends_with_prefill = !turns.empty() && turns.back().role == Role::assistant;
    if (!made_.ends_with_prefill || rules_.prefill) return;
    made_.ends_with_prefill = false;
    push(Role::user, {text_block(kGoOn)});
  }

  // The words that an answer is to go on behind end without white space, and are words alone.
  void trim_last_turn() {
    std::vector<Block>& blocks = made_.turns.back().blocks;
    std::erase_if(blocks, [](const Block& block) { return block.kind == Kind::thinking; });
    while (!blocks.empty() && blocks.back().kind == Kind::text) {
      std::string& text = blocks.back().json;
      text.resize(without_trailing_space(text).size());
      if (!text.empty()) break;
      blocks.pop_back();
    }
    if (blocks.empty()) made_.turns.pop_back();
  }

  void begin_with_user() {
    std::vector<Turn>& turns = made_.turns;
    if (!turns.empty() && turns.front().role == Role::user) return;
    std::vector<Block> first;
    if (turns.empty() && !made_.system.empty()) {
      const auto from = made_.system.begin() + static_cast<ptrdiff_t>(last_system_at_);
      first.assign(std::make_move_iterator(from), std::make_move_iterator(made_.system.end()));
      made_.system.erase(from, made_.system.end());
    }
    if (first.empty()) first.push_back(text_block(kNothingSaid));
    turns.insert(turns.begin(), Turn{Role::user, std::move(first)});
  }

  void note_tool_loop() {
    const std::vector<Turn>& turns = made_.turns;
    if (turns.size() < 2 || turns.back().role != Role::user ||
        turns.back().blocks.front().kind != Kind::tool_result) {
      return;
    }
    made_.unsigned_tool_loop = turns[turns.size() - 2].blocks.front().kind != Kind::thinking;
  }

  const ConversationRules& rules_;
  Conversation made_;
  size_t last_system_at_ = 0;
  std::vector<Call> calls_;            // of the assistant's turn just before
  std::vector<Block> behind_results_;  // said by the user since then
  std::unordered_set<std::string> used_ids_;
};

void append_blocks(std::string& out, const std::vector<Block>& blocks) {
  out += '[';
  for (const Block& block : blocks) {
    if (out.back() != '[') out += ',';
    append_block(out, block);
  }
  out += ']';
}

std::string_view name_of(Role role) {
  return role == Role::assistant ? "assistant" : role == Role::system ? "system" : "user";
}

}  // namespace

Conversation arrange(std::vector<Message> messages, const ConversationRules& rules) {
  Arranger arranger(rules);
  for (Message& message : messages) arranger.add(std::move(message));
  return arranger.finish();
}

void append_conversation(std::string& out, const Conversation& conversation) {
  if (!conversation.system.empty()) {
    out += "\"system\":";
    append_blocks(out, conversation.system);
    out += ',';
  }
  out += "\"messages\":[";
  for (const Turn& turn : conversation.turns) {
    if (out.back() != '[') out += ',';
    out.append(R"({"role":")").append(name_of(turn.role)).append(R"(","content":)");
    append_blocks(out, turn.blocks);
    out += '}';
  }
  out += ']';
}

}  // namespace deeppool::provider::anthropic
