#include "provider/anthropic/messages.h"

#include <algorithm>
#include <optional>

#include "json/number.h"
#include "json/padded.h"
#include "json/reader.h"
#include "provider/anthropic/content.h"
#include "provider/anthropic/raw_text.h"

namespace deeppool::provider::anthropic {

using json::Kind;

namespace {

std::optional<Role> role_of(std::string_view word) {
  if (word == "system" || word == "developer") return Role::system;
  if (word == "user") return Role::user;
  if (word == "assistant") return Role::assistant;
  if (word == "tool" || word == "function") return Role::tool;
  return std::nullopt;
}

std::string decoded(json::Reader& reader) {
  std::string text;
  json::append_unescaped(text, read_raw_string(reader));
  return text;
}

// A call's arguments, a JSON text in a string, as the object that Anthropic wants. What is no
// object is wrapped in one, so that the model sees what it wrote.
std::string input_of(json::Reader& reader) {
  if (reader.peek() == Kind::object) return std::string(reader.text(reader.skip()));
  const std::string_view raw = read_raw_string(reader);
  if (is_blank(raw)) return "{}";
  std::string text;
  json::append_unescaped(text, raw);
  const json::PaddedBytes padded(text);
  json::Reader inner(padded.view());
  const bool object = inner.peek() == Kind::object;
  inner.skip();
  const bool valid = inner.finish();
  if (valid && object) return text;
  if (valid) return "{\"arguments\":" + text + "}";
  return "{\"arguments\":\"" + std::string(raw) + "\"}";
}

// `{"name":...,"arguments":...}`
void read_function(json::Reader& reader, Block& call) {
  std::string input = "{}";
  for (json::Members members(reader); members.next();) {
    if (members.key() == "name") {
      call.tool_name = read_raw_string(reader);
    } else if (members.key() == "arguments") {
      input = input_of(reader);
    } else {
      reader.skip();
    }
  }
  call.json = "\"name\":\"" + call.tool_name + "\",\"input\":" + input;
}

// The parts of one message, in whatever order its members stand.
class MessageReader {
 public:
  MessageReader(json::Reader& reader, std::string path) : reader_(reader), path_(std::move(path)) {}

  Result<Message> read() {
    for (json::Members members(reader_); members.next();) {
      DP_CHECK(read_member(members.key()));
    }
    if (role_ == Role::assistant) {
      combine();
    } else if (role_ == Role::system) {
      DP_CHECK(check_system());
    }
    if (role_ == Role::tool) {
      message_.cache_control = cache_control_;
    } else if (!cache_control_.empty() && !message_.blocks.empty()) {
      message_.blocks.back().cache_control = cache_control_;
    }
    message_.role = role_;
    return std::move(message_);
  }

 private:
  Result<void> read_member(std::string_view key) {
    const Kind kind = reader_.peek();
    if (key == "role") return read_role();
    if (key == "content") {
      DP_TRY(message_.blocks, read_content(reader_, path_ + ".content"));
    } else if (key == "refusal") {
      refusal_ = read_raw_string(reader_);
    } else if (key == "tool_calls" && kind == Kind::array) {
      return read_calls();
    } else if (key == "function_call" && kind == Kind::object) {
      calls_.emplace_back().kind = Block::Kind::tool_use;
      read_function(reader_, calls_.back());
    } else if (key == "reasoning_details" && kind == Kind::array) {
      for (json::Elements details(reader_); details.next();) read_detail();
    } else if (key == "tool_call_id") {
      message_.tool_id = decoded(reader_);
    } else if (key == "is_error" && kind == Kind::boolean) {
      message_.tool_failed = reader_.read_bool();
    } else if (key == "cache_control" && kind == Kind::object) {
      cache_control_ = reader_.text(reader_.skip());
    } else {
      reader_.skip();
    }
    return {};
  }

  Result<void> read_role() {
    const std::string word = decoded(reader_);
    const std::optional<Role> role = role_of(word);
    if (!role) return Error::invalid(path_ + ".role", "there is no role `" + word + "`");
    role_ = *role;
    return {};
  }

  Result<void> read_calls() {
    for (json::Elements calls(reader_); calls.next();) {
      Block call;
      call.kind = Block::Kind::tool_use;
      for (json::Members members(reader_); members.next();) {
        if (members.key() == "id") {
          call.tool_id = decoded(reader_);
        } else if (members.key() == "function" && reader_.peek() == Kind::object) {
          read_function(reader_, call);
        } else if (members.key() == "cache_control" && reader_.peek() == Kind::object) {
          call.cache_control = reader_.text(reader_.skip());
        } else {
          reader_.skip();
        }
      }
      if (call.tool_name.empty()) {
        return Error::invalid(path_ + ".tool_calls[" + std::to_string(calls.index()) + "]",
                              "this model's provider takes only calls of functions");
      }
      calls_.push_back(std::move(call));
    }
    return {};
  }

  // A thinking block as the answer had it. Without its signature it would be refused.
  void read_detail() {
    if (reader_.peek() != Kind::object) {
      reader_.skip();
      return;
    }
    std::string_view type;
    std::string_view thinking;
    std::string_view signature;
    std::string_view data;
    Block block;
    block.kind = Block::Kind::thinking;
    for (json::Members members(reader_); members.next();) {
      const std::string_view key = members.key();
      if (key == "type") {
        type = read_raw_string(reader_);
      } else if (key == "thinking") {
        thinking = read_raw_string(reader_);
      } else if (key == "signature") {
        signature = read_raw_string(reader_);
      } else if (key == "data") {
        data = read_raw_string(reader_);
      } else if (key == "index" && reader_.peek() == Kind::number) {
        const auto index = json::to_integer(reader_.text(reader_.read_number()));
        if (index && *index >= 0 && *index < 1 << 20) block.position = static_cast<int>(*index);
      } else {
        reader_.skip();
      }
    }
    if (type == "thinking" && !signature.empty()) {
      block.json.append(R"("type":"thinking","thinking":")").append(thinking);
      block.json.append(R"(","signature":")").append(signature).append("\"");
    } else if (type == "redacted_thinking" && !data.empty()) {
      block.json.append(R"("type":"redacted_thinking","data":")").append(data).append("\"");
    } else {
      return;
    }
    thinking_.push_back(std::move(block));
  }

  // Each thought stands where it stood in the answer, as far as the texts still tell; a chat knows
  // several texts as one. All stand before the calls.
  void combine() {
    std::vector<Block> texts = std::move(message_.blocks);
    if (texts.empty() && !is_blank(refusal_)) texts.push_back(text_block(refusal_));
    std::vector<Block>& out = message_.blocks;
    out.clear();
    auto text = texts.begin();
    for (Block& thought : thinking_) {
      const auto place = static_cast<size_t>(std::max(thought.position, 0));
      while (text != texts.end() && out.size() < place) out.push_back(std::move(*text++));
      out.push_back(std::move(thought));
    }
    std::move(text, texts.end(), std::back_inserter(out));
    std::ranges::move(calls_, std::back_inserter(out));
  }

  Result<void> check_system() {
    for (const Block& block : message_.blocks) {
      if (block.kind == Block::Kind::text) continue;
      return Error::invalid(path_ + ".content", "a system message may only hold text");
    }
    return {};
  }

  json::Reader& reader_;
  const std::string path_;
  Message message_;
  Role role_ = Role::user;
  std::string_view refusal_;
  std::string_view cache_control_;
  std::vector<Block> calls_;
  std::vector<Block> thinking_;
};

}  // namespace

Result<std::vector<Message>> read_messages(std::string_view messages) {
  json::Reader reader(messages);
  std::vector<Message> read;
  for (json::Elements elements(reader); elements.next();) {
    MessageReader one(reader, "messages[" + std::to_string(elements.index()) + "]");
    DP_TRY(Message message, one.read());
    read.push_back(std::move(message));
  }
  return read;
}

}  // namespace deeppool::provider::anthropic
