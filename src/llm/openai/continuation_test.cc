#include "llm/openai/continuation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"
#include "json/padded.h"

namespace deeppool::llm {
namespace {

using Fit = Continuation::Fit;
using How = Continuation::How;

Said said(std::string text, bool reasoned = false) {
  return {.text = std::move(text), .reasoned = reasoned, .id_json = "\"c1\"", .created = "7"};
}

struct Fitted {
  Fit fit;
  std::string out;
};

Fitted fit(Continuation& to, std::string_view event) {
  const json::PaddedBytes padded(event);
  Fitted made;
  made.fit = to.fit(padded.view(), made.out);
  if (made.fit != Fit::chunk) EXPECT_EQ(made.out, "");
  return made;
}

std::string delta(std::string_view members, std::string_view finish = "null") {
  return R"({"id":"c2","object":"chat.completion.chunk","created":9,"model":"m","choices":[)"
         R"({"index":0,"delta":{)" +
         std::string(members) + R"(},"finish_reason":)" + std::string(finish) + "}]}";
}

std::string shown(std::string_view members, std::string_view finish = "null") {
  return R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"","choices":[)"
         R"({"index":0,"delta":{)" +
         std::string(members) + R"(},"finish_reason":)" + std::string(finish) + "}]}";
}

TEST(Continuation, OfAPrefixLeavesOutTheRoleAndReasoning) {
  Continuation to(How::prefix, said("Hello"));
  EXPECT_EQ(fit(to, delta(R"("role":"assistant","content":"")")).fit, Fit::nothing);
  EXPECT_EQ(fit(to, delta(R"("reasoning_content":"hm")")).fit, Fit::nothing);
  EXPECT_EQ(fit(to, delta(R"("role":"assistant","content":" wor\nld")")).out,
            shown(R"("content":" wor\nld")"));
  EXPECT_EQ(fit(to, delta("", "\"stop\"")).out, shown("", "\"stop\""));
}

TEST(Continuation, FreshShowsReasoningUnlessSomeWasShown) {
  Continuation nothing_shown(How::fresh, said(""));
  EXPECT_EQ(fit(nothing_shown, delta(R"("reasoning_content":"hm")")).out,
            shown(R"("reasoning_content":"hm")"));
  Continuation reasoned(How::fresh, said("", true));
  EXPECT_EQ(fit(reasoned, delta(R"("reasoning":"hm")")).fit, Fit::nothing);
  EXPECT_EQ(fit(reasoned, delta(R"("content":"a")")).out, shown(R"("content":"a")"));
}

TEST(Continuation, RepeatedLeavesOutWhatWasShown) {
  Continuation to(How::repeated, said("one two"));
  EXPECT_EQ(fit(to, delta(R"("content":"one")")).fit, Fit::nothing);
  EXPECT_EQ(fit(to, delta(R"("content":" \u0074wo th")")).out, shown(R"("content":" th")"));
  EXPECT_EQ(fit(to, delta(R"("content":"ree")", "\"stop\"")).out,
            shown(R"("content":"ree")", "\"stop\""));
}

TEST(Continuation, RepeatedSaysWhenItIsAnotherAnswer) {
  const struct {
    const char* name;
    std::string event;
  } cases[] = {
      {"other words", delta(R"("content":"once")")},
      {"it ends too early", delta(R"("content":"one")", "\"stop\"")},
      {"a tool instead", delta(R"("tool_calls":[{"index":0}])")},
      {"a function instead", delta(R"("function_call":{"name":"f"})")},
      {"a refusal instead", delta(R"("refusal":"no")")},
  };
  for (const auto& c : cases) {
    Continuation to(How::repeated, said("one two"));
    EXPECT_EQ(fit(to, c.event).fit, Fit::diverged) << c.name;
  }
}

TEST(Continuation, PassesWhatIsNoChunk) {
  Continuation to(How::prefix, said("a"));
  for (const char* event : {"[DONE]", R"({"error":{"message":"x"}})", R"({"type":"ping"})", "{",
                            R"({"choices":[],"error":{"code":1}})"}) {
    EXPECT_EQ(fit(to, event).fit, Fit::as_it_is) << event;
  }
}

TEST(Continuation, KeepsUsageAndToolCalls) {
  Continuation to(How::prefix, said("a"));
  EXPECT_EQ(fit(to, R"({"id":"x","choices":[],"usage":{"prompt_tokens":1}})").out,
            R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"","choices":[],)"
            R"("usage":{"prompt_tokens":1}})");
  EXPECT_EQ(fit(to, delta(R"("tool_calls":[{"index":0,"id":"t"}])")).out,
            shown(R"("tool_calls":[{"index":0,"id":"t"}])"));
}

// Nothing of it is shown yet: whatever comes is the answer.
TEST(Continuation, FreshPassesEveryMember) {
  for (const char* members :
       {R"("refusal":"I will not.")", R"("function_call":{"name":"f","arguments":"{"})",
        R"("images":[{"type":"image_url","image_url":{"url":"data:,"}}])",
        R"("reasoning_details":[{"type":"thinking","thinking":"hm","signature":"S"}])",
        R"("content":[{"type":"text","text":"a"}])"}) {
    Continuation to(How::fresh, said(""));
    EXPECT_EQ(fit(to, delta(R"("role":"assistant",)" + std::string(members))).out, shown(members));
  }
  Continuation to(How::fresh, said(""));
  EXPECT_EQ(fit(to, delta(R"("content":"a")", R"(null,"logprobs":{"content":[]})")).out,
            shown(R"("content":"a")", R"(null,"logprobs":{"content":[]})"));
  EXPECT_EQ(fit(to, delta("", R"("stop","stop_sequence":"#")")).out,
            shown("", R"("stop","stop_sequence":"#")"));
  EXPECT_EQ(fit(to, delta(R"("role":"assistant","content":"","refusal":null,"tool_calls":[])",
                          R"(null,"logprobs":null)"))
                .fit,
            Fit::nothing);
  Continuation reasoned(How::fresh, said("", true));
  EXPECT_EQ(fit(reasoned, delta(R"("reasoning_details":[{"type":"thinking"}])")).fit, Fit::nothing);
}

TEST(Continuation, BehindATextACallOrARefusalGoesOnAndWhatIsAboutTheTextDoesNot) {
  Continuation to(How::prefix, said("a"));
  for (const char* members :
       {R"("refusal":"no")", R"("function_call":{"name":"f","arguments":"{}"})"}) {
    EXPECT_EQ(fit(to, delta(members)).out, shown(members));
  }
  EXPECT_EQ(fit(to, delta(R"("annotations":[1])", R"(null,"logprobs":{"content":[1]})")).fit,
            Fit::nothing);
  EXPECT_EQ(fit(to, delta("", R"("stop","stop_sequence":"#")")).out,
            shown("", R"("stop","stop_sequence":"#")"));
}

// Whatever was shown, and however the second telling is cut: together they are the whole.
RC_GTEST_PROP(Continuation, RepeatedTextIsWhole, ()) {
  const auto words = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("a", "bc ", "\n", "\"", "\\", "é", "😀", " "));
  std::string whole;
  for (const std::string& word : words) whole += word;
  const auto shown_words = *rc::gen::inRange<size_t>(0, words.size() + 1);
  std::string text;
  for (size_t i = 0; i < shown_words; ++i) text += words[i];
  Continuation to(How::repeated, said(text));
  size_t next = 0;
  while (next < words.size()) {
    const auto take = *rc::gen::inRange<size_t>(1, 4);
    std::string piece;
    for (size_t i = 0; i < take && next < words.size(); ++i) piece += words[next++];
    std::string member = "\"content\":";
    base::append_json_string(member, piece);
    const Fitted made = fit(to, delta(member));
    RC_ASSERT(made.fit != Fit::diverged);
    if (made.fit != Fit::chunk) continue;
    const json::PaddedBytes padded(made.out);
    const size_t at = made.out.find("\"content\":") + 10;
    json::Reader reader(padded.view().substr(at));
    std::string scratch;
    text += reader.decode(reader.read_string(), scratch);
  }
  RC_ASSERT(text == whole);
}

}  // namespace
}  // namespace deeppool::llm
