// A Messages request that reaches a model of Anthropic by way of the house says what its caller
// wrote.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "llm/anthropic/request.h"
#include "provider/anthropic/test_asking.h"
#include "testing/golden.h"

namespace deeppool::provider::anthropic {
namespace {

namespace bj = boost::json;

// Texts as blocks, as they are sent on.
void spell_out(bj::object& message) {
  if (!message.at("content").is_string()) return;
  const bj::string text = message.at("content").as_string();
  message["content"] = bj::array{bj::object{{"type", "text"}, {"text", text}}};
}

// A single text within a result is as good as the plain string.
void shorten_results(bj::object& message) {
  for (bj::value& block : message.at("content").as_array()) {
    if (block.at("type") != "tool_result" || !block.at("content").is_array()) continue;
    const bj::array& parts = block.at("content").as_array();
    if (parts.size() == 1 && parts[0].at("type") == "text") {
      const bj::string text = parts[0].at("text").as_string();
      block.as_object()["content"] = text;
    }
  }
}

bj::object block_of(std::string_view type, std::string_view word) {
  if (type == "text") return {{"type", type}, {"text", word}};
  if (type == "redacted_thinking") return {{"type", type}, {"data", word}};
  if (type == "tool_use") {
    return {{"type", type}, {"id", "id"}, {"name", word}, {"input", bj::object()}};
  }
  return {{"type", "thinking"}, {"thinking", word}, {"signature", type == "thinking" ? "S" : ""}};
}

std::string word_of(const bj::object& block) {
  for (const char* member : {"text", "thinking", "data", "name"}) {
    if (block.contains(member)) return std::string(block.at(member).as_string());
  }
  return "?";
}

TEST(MessagesRoundTrip, ACodingAgentsRequestArrives) {
  const std::string text =
      testing::read_file(DEEPPOOL_SOURCE_DIR "/src/llm/testdata/agent.messages.json");
  const json::PaddedBytes request(text);
  const auto house =
      llm::anthropic::to_house(request, llm::anthropic::Purpose::answer, "a-2026-01-01");
  ASSERT_TRUE(house) << house.error().message;
  TestAsking asking(house->body.view());
  asking.endpoint.upstream_model = "claude-sonnet-4-5";
  const UpstreamRequest made = asking.made();
  EXPECT_TRUE(made.dropped.empty()) << made.dropped.front();
  EXPECT_NE(made.head.view().find("a-2026-01-01"), std::string::npos);
  const bj::object sent = bj::parse(made.body.to_string()).as_object();
  bj::object wrote = bj::parse(text).as_object();
  for (bj::value& message : wrote["messages"].as_array()) {
    spell_out(message.as_object());
    shorten_results(message.as_object());
  }
  for (const char* member : {"system", "messages", "max_tokens", "stream", "thinking", "metadata",
                             "context_management"}) {
    ASSERT_TRUE(sent.contains(member)) << member;
    EXPECT_EQ(sent.at(member), wrote.at(member)) << member << "\n"
                                                 << bj::serialize(sent.at(member)) << "\n"
                                                 << bj::serialize(wrote.at(member));
  }
  const bj::array& tools = sent.at("tools").as_array();
  ASSERT_EQ(tools.size(), wrote.at("tools").as_array().size());
  for (size_t i = 0; i < tools.size(); ++i) {
    const bj::object& tool = wrote.at("tools").as_array()[i].as_object();
    for (const auto& [name, value] : tool) EXPECT_EQ(tools[i].at(name), value) << i << name;
  }
}

// Anthropic refuses a turn that goes on behind a call with other thoughts than it had.
TEST(MessagesRoundTrip, ThoughtsStayWhereTheyWere) {
  const struct {
    const char* name;
    const char* blocks;
    const char* sent;  // kinds and texts in their order
  } cases[] = {
      {"between texts", "thinking A, text b, thinking C, text d, redacted_thinking E, tool_use f",
       "A b C d E f"},
      {"before all", "thinking A, redacted_thinking B, text c, tool_use d", "A B c d"},
      {"behind the text", "text a, thinking B, tool_use c", "a B c"},
      {"one that nobody signed", "unsigned A, thinking B, text c, tool_use d", "B c d"},
      {"a text that says nothing", "thinking A, text  , thinking B, text c, tool_use d", "A B c d"},
  };
  for (const auto& c : cases) {
    bj::array blocks;
    for (const std::string_view one : base::split(c.blocks, ',')) {
      const std::string_view said = base::trim(one);
      blocks.push_back(block_of(said.substr(0, said.find(' ')), one.substr(one.rfind(' ') + 1)));
    }
    const bj::object result{{"type", "tool_result"}, {"tool_use_id", "id"}, {"content", "r"}};
    const bj::object wrote{{"model", "claude-sonnet-4-5"},
                           {"max_tokens", 9000},
                           {"thinking", {{"type", "enabled"}, {"budget_tokens", 2000}}},
                           {"messages",
                            {{{"role", "user"}, {"content", "x"}},
                             {{"role", "assistant"}, {"content", blocks}},
                             {{"role", "user"}, {"content", bj::array{result}}}}}};
    const auto house = llm::anthropic::to_house(json::PaddedBytes(bj::serialize(wrote)),
                                                llm::anthropic::Purpose::answer, "");
    ASSERT_TRUE(house) << house.error().message;
    TestAsking asking(house->body.view());
    asking.endpoint.upstream_model = "claude-sonnet-4-5";
    const bj::value sent = bj::parse(asking.made().body.to_string());
    std::string order;
    for (const bj::value& block : sent.at("messages").at(1).at("content").as_array()) {
      if (!order.empty()) order += ' ';
      order += word_of(block.as_object());
    }
    EXPECT_EQ(order, c.sent) << c.name << "\n" << bj::serialize(sent);
  }
}

}  // namespace
}  // namespace deeppool::provider::anthropic
