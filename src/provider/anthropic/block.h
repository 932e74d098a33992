// The pieces that a conversation is made of on its way from the house dialect to Anthropic's:
// content blocks that are JSON text already but for what is settled last. Plain data of one
// request's translation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace deeppool::provider::anthropic {

struct Block {
  enum class Kind : uint8_t { text, media, thinking, tool_use, tool_result };

  Kind kind = Kind::text;
  // Of a text: what stands between the quotes. Of all others: the block's members, without braces,
  // and without its id where it has one.
  std::string json;
  std::string cache_control;  // a JSON value; empty: none
  // Of tool_use and tool_result: as the house has it, decoded, until the conversation is arranged;
  // then what Anthropic takes.
  std::string tool_id;
  std::string tool_name;  // of tool_use: what stands between the quotes
  int position = -1;      // of thinking: where in the answer it stood; negative: unknown
};

enum class Role : uint8_t { system, user, assistant, tool };

// One message of the house.
struct Message {
  Role role = Role::user;
  std::vector<Block> blocks;
  std::string tool_id;        // of a tool's: which call it answers
  std::string cache_control;  // of a tool's: a JSON value
  bool tool_failed = false;
};

// What one side says in a row; never a tool's.
struct Turn {
  Role role = Role::user;
  std::vector<Block> blocks;
};

inline Block text_block(std::string_view raw) {
  Block block;
  block.json = raw;
  return block;
}

// Appends the block as an object.
void append_block(std::string& out, const Block& block);

}  // namespace deeppool::provider::anthropic
