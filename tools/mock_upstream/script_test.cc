#include "mock_upstream/script.h"

#include <gtest/gtest.h>

#include "mock_upstream/behaviour.h"

namespace deeppool::mock {
namespace {

TEST(Script, ReadsTheModelsName) {
  struct Row {
    const char* model;
    const char* behaviour;
    int64_t tokens;
  };
  const Row rows[] = {
      {"mock", "ok", -1},
      {"gpt-4o", "ok", -1},
      {"", "ok", -1},
      {"mock:tokens=5", "ok", 5},
      {"mock-slow", "slow", -1},
      {"mock-cut:after=2,tokens=9", "cut", 9},
      {"org/mock-cut:tokens=9", "cut", 9},
      {"org/claude-x+mock-cut:tokens=9", "cut", 9},
      {"a+b", "ok", -1},
      {"mock-status-429:retry-after=-3", "status-429", -1},
      {"mock-ok:tokens=x", "ok", -1},
      {"mock-ok:,, tokens = 7 ,", "ok", 7},
  };
  for (const Row& row : rows) {
    const Script script = parse_model_script(row.model);
    EXPECT_EQ(script.behaviour, row.behaviour) << row.model;
    EXPECT_EQ(script.number("tokens", -1), row.tokens) << row.model;
  }
  EXPECT_EQ(parse_model_script("mock-status-429:retry-after=-3").text("retry-after", ""), "-3");
}

TEST(Script, ReadsTheHeader) {
  const Script script = parse_header_script("redirect; to=http://127.0.0.1/a,b; fast");
  EXPECT_EQ(script.behaviour, "redirect");
  EXPECT_EQ(script.text("to", ""), "http://127.0.0.1/a,b");
  EXPECT_EQ(script.number("fast", 0), 1);
}

TEST(Behaviours, HaveUniqueNamesAndAreFound) {
  std::set<std::string_view> names;
  for (const auto table : {stream_behaviours(), content_behaviours(), http_behaviours()}) {
    for (const Behaviour& row : table) {
      EXPECT_TRUE(names.insert(row.name).second) << row.name;
      EXPECT_EQ(&find_behaviour(row.name), &row);
    }
  }
  EXPECT_EQ(find_behaviour("status-503").name, "status");
  EXPECT_EQ(find_behaviour("no-such-thing").name, "ok");
}

http::RequestHead post(std::string_view target) {
  http::RequestHead head;
  head.method = http::Method::post;
  head.target = target;
  return head;
}

TEST(Ask, ReadsWhatIsWanted) {
  const auto ask = read_ask(post("/v1/chat/completions?x=1"), R"({"model":"mock-cut:after=1",
      "stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":7,
      "messages":[{"role":"system","content":"be  brief"},
        {"role":"user","content":[{"type":"text","text":"see this"},{"type":"image_url"}]}],
      "tools":[{"type":"function","function":{"name":"f"}}]})");
  ASSERT_TRUE(ask.ok());
  EXPECT_EQ(ask->route, Route::chat);
  EXPECT_TRUE(ask->stream && ask->include_usage);
  EXPECT_EQ(ask->max_tokens, 7);
  EXPECT_EQ(ask->prompt_tokens, 4);
  EXPECT_EQ(ask->images, 1);
  ASSERT_EQ(ask->tools.size(), 1u);
  EXPECT_EQ(ask->tools[0].name, "f");
  EXPECT_EQ(ask->script.behaviour, "cut");
}

TEST(Ask, RefusesAsAProviderWould) {
  const char* bodies[] = {"",
                          "{",
                          "[]",
                          R"({"messages":[]})",
                          R"({"model":"m"})",
                          R"({"model":"m","messages":[]})",
                          R"({"model":"m","messages":[1]})"};
  for (const char* body : bodies) {
    const auto ask = read_ask(post("/v1/chat/completions"), body);
    EXPECT_FALSE(ask.ok()) << body;
  }
}

TEST(Content, SaysHowManyTokensItIs) {
  struct Row {
    const char* params;
    int64_t max_tokens;
    int64_t words;
    Finish finish;
    const char* answered = "";
  };
  const Row rows[] = {
      {"ok", -1, 16, Finish::stop},
      {"ok", 5, 5, Finish::length},
      {"ok;tokens=3", 5, 3, Finish::stop},
      {"ok;tokens=9", 5, 5, Finish::length},
      {"ok;chunks=4", -1, 4, Finish::stop},
      {"ok", -1, 14, Finish::stop, "w1 w2"},
      {"ok;tokens=9", 9, 7, Finish::stop, "w1 w2"},
      {"ok;tokens=9", 3, 3, Finish::length, "w1 w2"},
      {"ok;tokens=2", -1, 0, Finish::stop, "w1 w2"},
  };
  for (const Row& row : rows) {
    Ask ask;
    ask.max_tokens = row.max_tokens;
    ask.script = parse_header_script(row.params);
    ask.answered = row.answered;
    const Content content = word_content(ask);
    EXPECT_EQ(content.pieces(), row.words) << row.params;
    EXPECT_EQ(content.finish, row.finish) << row.params;
  }
}

TEST(Content, LeavesOutWhatWasAnswered) {
  struct Row {
    const char* answered;
    const char* rest;
  };
  for (const Row& row :
       {Row{"", "one two three"}, Row{"one ", "two three"}, Row{"one t", "wo three"},
        Row{"one two three", ""}, Row{"other", "one two three"}}) {
    Content content = text_content("one two three", 4);
    skip_answered(content, row.answered);
    EXPECT_EQ(content.text(), row.rest) << row.answered;
  }
}

TEST(Content, CutsTextsBetweenCharacters) {
  const Content content = text_content("a\xc3\xa9\xc3\xa9z", 2);
  EXPECT_EQ(content.texts, (std::vector<std::string>{"a\xc3\xa9", "\xc3\xa9", "z"}));
}

}  // namespace
}  // namespace deeppool::mock
