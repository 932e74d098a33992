#include "llm/openai/request.h"

#include <gtest/gtest.h>

#include "llm/limits.h"

namespace deeppool::llm {
namespace {

using json::PaddedBytes;

Result<RequestView> parse(std::string_view body, Api api = Api::chat_completions) {
  return parse_request(api, PaddedBytes(body));
}

// A chat request with these members besides model and messages.
std::string with(std::string_view members) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" + std::string(members) +
         "}";
}

struct Refusal {
  std::string body;
  std::string_view param;
};

class RequestRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(RequestRefusal, NamesTheField) {
  const auto view = parse(GetParam().body);
  ASSERT_FALSE(view.ok()) << GetParam().body;
  EXPECT_EQ(view.error().code, ErrorCode::invalid_request);
  EXPECT_EQ(view.error().param, GetParam().param) << view.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Fields, RequestRefusal,
    testing::Values(
        Refusal{R"({"messages":[{"role":"user"}]})", "model"},
        Refusal{R"({"model":"","messages":[{"role":"user"}]})", "model"},
        Refusal{R"({"model":null,"messages":[{"role":"user"}]})", "model"},
        Refusal{R"({"model":7,"messages":[{"role":"user"}]})", "model"},
        Refusal{R"({"model":"m"})", "messages"},
        Refusal{R"({"model":"m","messages":[]})", "messages"},
        Refusal{R"({"model":"m","messages":null})", "messages"},
        Refusal{R"({"model":"m","messages":"hi"})", "messages"},
        Refusal{R"({"model":"m","messages":["hi"]})", "messages[0]"},
        Refusal{R"({"model":"m","messages":[{"content":"x"}]})", "messages[0].role"},
        Refusal{R"({"model":"m","messages":[{"role":""}]})", "messages[0].role"},
        Refusal{R"({"model":"m","messages":[{"role":1}]})", "messages[0].role"},
        Refusal{R"({"model":"m","messages":[{"role":"user"},{"role":"a","content":5}]})",
                "messages[1].content"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":["x"]}]})",
                "messages[0].content[0]"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":[{"text":"x"}]}]})",
                "messages[0].content[0].type"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]})",
                "messages[0].content[0].text"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url",)"
                R"("image_url":1}]}]})",
                "messages[0].content[0].image_url"},
        Refusal{R"({"model":"m","messages":[{"role":"assistant","tool_calls":{}}]})",
                "messages[0].tool_calls"},
        Refusal{R"({"model":"m","messages":[{"role":"assistant","tool_calls":[1]}]})",
                "messages[0].tool_calls[0]"}));

INSTANTIATE_TEST_SUITE_P(
    Options, RequestRefusal,
    testing::Values(
        Refusal{with(R"("stream":"yes")"), "stream"}, Refusal{with(R"("stream":1)"), "stream"},
        Refusal{with(R"("stream_options":{})"), "stream_options"},
        Refusal{with(R"("stream":false,"stream_options":{})"), "stream_options"},
        Refusal{with(R"("stream":true,"stream_options":[])"), "stream_options"},
        Refusal{with(R"("stream":true,"stream_options":{"include_usage":1})"),
                "stream_options.include_usage"},
        Refusal{
            with(R"("stream":true,"stream_options":{"include_usage":true,"include_usage":false})"),
            "stream_options.include_usage"},
        Refusal{with(R"("max_tokens":0)"), "max_tokens"},
        Refusal{with(R"("max_tokens":-1)"), "max_tokens"},
        Refusal{with(R"("max_tokens":1.5)"), "max_tokens"},
        Refusal{with(R"("max_tokens":1e300)"), "max_tokens"},
        Refusal{with(R"("max_tokens":99999999999999999999)"), "max_tokens"},
        Refusal{with(R"("max_tokens":"10")"), "max_tokens"},
        Refusal{with(R"("max_completion_tokens":2147483649)"), "max_completion_tokens"},
        Refusal{with(R"("n":129)"), "n"}, Refusal{with(R"("n":0)"), "n"},
        Refusal{with(R"("temperature":"hot")"), "temperature"},
        Refusal{with(R"("temperature":1e999)"), "temperature"},
        Refusal{with(R"("top_p":[])"), "top_p"}, Refusal{with(R"("seed":1.5)"), "seed"},
        Refusal{with(R"("stop":5)"), "stop"}, Refusal{with(R"("stop":["a",5])"), "stop[1]"},
        Refusal{with(R"("stop":["1","2","3","4","5","6","7","8","9"])"), "stop"},
        Refusal{with(R"("tools":{})"), "tools"}, Refusal{with(R"("tools":[1])"), "tools[0]"},
        Refusal{with(R"("tools":[{}])"), "tools[0].type"},
        Refusal{with(R"("tools":[{"type":"function","function":{}}])"), "tools[0].function.name"},
        Refusal{with(R"("tools":[{"type":"function","function":[]}])"), "tools[0].function"},
        Refusal{with(R"("functions":[{}])"), "functions[0].name"},
        Refusal{with(R"("tool_choice":1)"), "tool_choice"},
        Refusal{with(R"("response_format":"json")"), "response_format"},
        Refusal{with(R"("response_format":{})"), "response_format.type"},
        Refusal{with(R"("reasoning_effort":1)"), "reasoning_effort"},
        Refusal{with(R"("enable_thinking":"yes")"), "enable_thinking"},
        Refusal{with(R"("logprobs":1)"), "logprobs"}, Refusal{with(R"("user":1)"), "user"},
        Refusal{with(R"("metadata":"x")"), "metadata"},
        Refusal{with(R"("model":"other")"), "model"}, Refusal{with(R"("mod\u0065l":"x")"), "model"},
        Refusal{with(R"("stream":true,"stream":false)"), "stream"},
        Refusal{with(R"("n":1,"n":2)"), "n"}, Refusal{with(R"("messages":[])"), "messages"},
        Refusal{with(R"("max_tokens":1,"max_tokens":2)"), "max_tokens"}));

TEST(Request, MalformedJsonIsNamedByItsByte) {
  for (const auto& [body, at] : std::initializer_list<std::pair<std::string, std::string>>{
           {with(R"("x":[1,2)"), "at byte"},
           {R"({"model":"m",})", "at byte 13"},
           {R"({"model":"m"} x)", "at byte 14"},
           {"", "at byte 0"},
           {"[]", "at byte 0"},
           {with("\"x\":\"\xff\""), "not valid UTF-8"},
           {with("\"x\":" + std::string(100, '[')), "nested too deeply"}}) {
    const auto view = parse(body);
    ASSERT_FALSE(view.ok()) << body;
    EXPECT_EQ(view.error().code, ErrorCode::invalid_request);
    EXPECT_EQ(view.error().param, "");
    EXPECT_NE(view.error().message.find(at), std::string::npos) << view.error().message;
  }
}

TEST(Request, NullMeansAbsent) {
  const auto view = parse(
      with(R"("stream":null,"stream_options":null,"max_tokens":null,"n":null,"temperature":null,)"
           R"("stop":null,"tools":null,"tool_choice":null,"user":null,"reasoning_effort":null,)"
           R"("response_format":null,"logit_bias":null,"seed":null)"));
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_FALSE(view->stream);
  EXPECT_FALSE(view->max_tokens);
  EXPECT_EQ(view->n, 1);
}

TEST(Request, ReadsWhatTheGatewayNeeds) {
  const auto view =
      parse(R"({"messages":[{"role":"system","content":"Be \u00e9."},)"
            R"({"role":"user","content":[{"type":"text","text":"你好"},)"
            R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}],)"
            R"("max_tokens":5,"max_completion_tokens":100.0,"n":2,"stream":true,"tools":[)"
            R"({"type":"function","function":{"name":"f"}}],"reasoning_effort":"low",)"
            R"("stream_options":{"include_usage":true},"mod\u0065l":"org/\u006dodel",)"
            R"("unknown":{"a":[1]}})");
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_EQ(view->model, "org/model");
  EXPECT_TRUE(view->stream);
  EXPECT_TRUE(view->caller_wants_usage);
  EXPECT_EQ(view->max_tokens, 100);
  EXPECT_EQ(view->n, 2);
  EXPECT_EQ(view->features.message_count, 2);
  EXPECT_EQ(view->features.image_count, 1);
  EXPECT_EQ(view->features.tool_count, 1);
  EXPECT_TRUE(view->features.has_reasoning);
  EXPECT_TRUE(view->features.has_vision);
  const int64_t tools = 45;
  EXPECT_EQ(view->features.text_bytes, 6 + 6 + tools);
  EXPECT_EQ(view->features.text_chars, 5 + 2 + tools);
  EXPECT_EQ(view->estimated_prompt_tokens(), (5 + 2 + tools + 3) / 4 + kTokensPerImage + 2 * 4 + 3);
}

TEST(Request, VisionIsAboutTheLastUserMessage) {
  const std::string image = R"({"role":"user","content":[{"type":"image_url","image_url":{}}]})";
  const std::string plain = R"({"content":"x","role":"user"})";
  const std::string answer = R"({"role":"assistant","content":"y"})";
  const auto vision = [&](const std::string& messages) {
    return parse(R"({"model":"m","messages":[)" + messages + "]}")->features.has_vision;
  };
  EXPECT_TRUE(vision(image));
  EXPECT_TRUE(vision(plain + "," + image + "," + answer));
  EXPECT_FALSE(vision(image + "," + answer + "," + plain));
}

TEST(Request, EffortWinsOverThinking) {
  const auto reasoning = [](std::string_view members) {
    return parse(with(members))->features.has_reasoning;
  };
  EXPECT_TRUE(reasoning(R"("enable_thinking":true)"));
  EXPECT_FALSE(reasoning(R"("enable_thinking":true,"reasoning_effort":"none")"));
  EXPECT_TRUE(reasoning(R"("reasoning_effort":"high","enable_thinking":false)"));
  EXPECT_TRUE(reasoning(R"("reasoning_effort":"beyond")"));
  EXPECT_FALSE(reasoning(R"("reasoning_effort":null)"));
}

struct InputShape {
  Api api;
  std::string_view members;
  bool good;
};

TEST(Request, PromptsAndInputs) {
  for (const InputShape& shape : std::initializer_list<InputShape>{
           {Api::completions, R"("prompt":"x")", true},
           {Api::completions, R"("prompt":["x","y"])", true},
           {Api::completions, R"("prompt":[1,2])", true},
           {Api::completions, R"("prompt":[[1,2],[3]])", true},
           {Api::completions, R"("prompt":null)", true},
           {Api::completions, R"("prompt":[1,"x"])", false},
           {Api::completions, R"("prompt":[[[1]]])", false},
           {Api::completions, R"("prompt":[-1])", false},
           {Api::completions, R"("prompt":[])", false},
           {Api::completions, R"("prompt":{})", false},
           {Api::completions, R"("user":"u")", false},
           {Api::completions, R"("prompt":"x","logprobs":5,"echo":true,"best_of":1)", true},
           {Api::embeddings, R"("input":"x","encoding_format":"base64","dimensions":8)", true},
           {Api::embeddings, R"("input":["x"],"encoding_format":"float")", true},
           {Api::embeddings, R"("input":[[1],[2]])", true},
           {Api::embeddings, R"("input":"x","encoding_format":"int8")", false},
           {Api::embeddings, R"("input":"x","dimensions":0)", false},
           {Api::embeddings, R"("input":null)", false},
           {Api::embeddings, R"("prompt":"x")", false}}) {
    const auto view = parse(R"({"model":"m",)" + std::string(shape.members) + "}", shape.api);
    EXPECT_EQ(view.ok(), shape.good) << shape.members;
  }
}

struct SplicingCase {
  std::string_view body;
  std::string_view model;
  std::string_view expected;
};

class RequestSplice : public testing::TestWithParam<SplicingCase> {};

TEST_P(RequestSplice, ChangesOnlyModelAndStreamOptions) {
  const PaddedBytes body(GetParam().body);
  const auto view = parse_request(Api::chat_completions, body);
  ASSERT_TRUE(view.ok()) << view.error().message;
  const SplicedBody spliced = splice(*view, body.view(), {.model = GetParam().model});
  EXPECT_EQ(spliced.to_string(), GetParam().expected);
  EXPECT_EQ(spliced.size(), GetParam().expected.size());
}

TEST(RequestLimit, AddsABoundThatTheCallerDidNotSet) {
  const PaddedBytes body(R"({"max_tokens":null,"model":"m","messages":[{"role":"user"}] })");
  const auto view = parse_request(Api::chat_completions, body);
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_EQ(splice(*view, body.view(), {.model = "up", .limit = {"max_tokens", 512}}).to_string(),
            R"({"max_tokens":512,"model":"up","messages":[{"role":"user"}] })");
  EXPECT_EQ(splice(*view, body.view(), {.model = "up", .limit = {"max_completion_tokens", 512}})
                .to_string(),
            R"({"max_tokens":null,"model":"up","messages":[{"role":"user"}] ,)"
            R"("max_completion_tokens":512})");
  EXPECT_EQ(splice(*view, body.view(), {.model = "up", .limit = {"max_tokens", 0}}).to_string(),
            R"({"max_tokens":null,"model":"up","messages":[{"role":"user"}] })");
}

TEST(RequestLimit, TakesThePlaceOfTheCallersOwn) {
  const PaddedBytes body(
      R"({"max_tokens":9,"max_completion_tokens":8,"model":"m","messages":[{"role":"user"}]})");
  const auto view = parse_request(Api::chat_completions, body);
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_EQ(splice(*view, body.view(), {.model = "up", .limit = {"max_tokens", 5}}).to_string(),
            R"({"max_tokens":5,"max_completion_tokens":5,"model":"up",)"
            R"("messages":[{"role":"user"}]})");
}

TEST(RequestSplicing, AddsAMessageAndMembers) {
  const PaddedBytes body(R"({"messages":[{"role":"user"} ],"stream":true,"model":"m"})");
  const auto view = parse_request(Api::chat_completions, body);
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_EQ(splice(*view, body.view(),
                   {.model = "up", .last_message = R"({"role":"a"})", .members = R"(,"x":1)"})
                .to_string(),
            R"({"messages":[{"role":"user"} ,{"role":"a"}],"stream":true,"model":"up",)"
            R"("stream_options":{"include_usage":true},"x":1})");
}

TEST(RequestView, KnowsWhatCanBeRepeated) {
  EXPECT_FALSE(parse(with(R"("temperature":1)"))->repeatable);
  EXPECT_TRUE(parse(with(R"("temperature":0.0)"))->repeatable);
  EXPECT_TRUE(parse(with(R"("seed":7)"))->repeatable);
  EXPECT_FALSE(parse(with(R"("seed":null)"))->repeatable);
}

TEST(RequestView, NoPromptHasMoreTokensThanBytes) {
  const PaddedBytes body(R"({"model":"m","messages":[{"role":"user","content":"0123456789"}]})");
  const auto view = parse_request(Api::chat_completions, body);
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_GE(view->most_prompt_tokens(), 10);
  EXPECT_GE(view->most_prompt_tokens(), view->reservable_prompt_tokens());
}

TEST(RequestView, CountsEveryChoiceThatIsGenerated) {
  struct Case {
    std::string_view members;
    int64_t choices;
  };
  for (const Case& c : std::initializer_list<Case>{
           {R"("prompt":"x")", 1},
           {R"("prompt":"x","n":3,"best_of":null)", 3},
           {R"("prompt":"x","n":2,"best_of":5)", 5},
           {R"("prompt":["x","y","z"],"best_of":4)", 12},
           {R"("prompt":[[1,2],[3]],"n":2)", 4},
           {R"("prompt":[1,2,3])", 1},
       }) {
    const auto view = parse(R"({"model":"m",)" + std::string(c.members) + "}", Api::completions);
    ASSERT_TRUE(view.ok()) << view.error().message;
    EXPECT_EQ(view->choices(), c.choices) << c.members;
  }
  EXPECT_EQ(parse(with(R"("n":3)"))->choices(), 3);
}

TEST(RequestView, SaysWhenTwoLimitsDiffer) {
  const auto both = parse(with(R"("max_tokens":50,"max_completion_tokens":1)"));
  EXPECT_TRUE(both->two_limits);
  EXPECT_EQ(both->max_tokens, 1);
  EXPECT_FALSE(parse(with(R"("max_tokens":5,"max_completion_tokens":5)"))->two_limits);
  EXPECT_FALSE(parse(with(R"("max_tokens":null,"max_completion_tokens":5)"))->two_limits);
  EXPECT_FALSE(parse(with(R"("max_tokens":5)"))->two_limits);
}

// Of any value that a model may read, wherever it stands.
TEST(RequestView, NothingIsReadForNothing) {
  const std::string text(1000, 'x');
  const auto chat = [&](std::string_view messages) {
    return std::string(R"({"model":"m","messages":[)").append(messages) + "]}";
  };
  const std::string parts[] = {
      R"({"role":"assistant","function_call":{"name":"f","arguments":"$"}})",
      R"({"role":"assistant","tool_calls":[{"type":"custom","custom":{"input":"$"}}]})",
      R"({"role":"assistant","reasoning_details":[{"text":"$"}]})",
      R"({"role":"tool","tool_call_id":"$","content":""})",
      R"({"role":"user","content":[{"type":"text","text":"","more":"$"}]})",
      R"({"role":"user","content":[{"type":"thinking","thinking":"$"}]})",
  };
  std::vector<std::pair<Api, std::string>> bodies = {
      {Api::completions, R"({"model":"m","prompt":"x","suffix":"$"})"},
      {Api::chat_completions, with(R"("prediction":{"type":"content","content":"$"})")},
      {Api::chat_completions, with(R"("tool_choice":{"function":{"name":"$"}})")},
      {Api::chat_completions, with(R"("documents":["$"])")},
  };
  for (const std::string& part : parts) bodies.emplace_back(Api::chat_completions, chat(part));
  for (auto& [api, body] : bodies) {
    body.replace(body.find('$'), 1, text);
    const auto view = parse(body, api);
    ASSERT_TRUE(view.ok()) << view.error().message << body;
    EXPECT_GE(view->most_prompt_tokens(), 1000) << body;
  }
}

TEST(RequestView, MediaAreHeldForWhatTheyMayCost) {
  const auto most = [](std::string_view part) {
    const auto view = parse(R"({"model":"m","messages":[{"role":"user","content":[)" +
                            std::string(part) + "]}]}");
    EXPECT_TRUE(view.ok()) << view.error().message;
    return view->most_prompt_tokens();
  };
  EXPECT_LT(most(R"({"type":"text","text":"x"})"), 10);
  const int64_t picture = most(R"({"type":"image_url","image_url":{"url":"data:AA"}})");
  EXPECT_GE(picture, kMostTokensPerImage);
  EXPECT_LT(picture, kMostTokensPerDocument);
  for (const std::string_view document :
       {R"({"type":"file","file":{"file_data":"data:application/pdf;base64,AA"}})",
        R"({"file":{"file_id":"f"},"type":"file"})",
        R"({"type":"video_url","video_url":{"url":"https://x/y"}})",
        R"({"type":"input_audio","input_audio":{"data":"https://x/y"}})",
        R"({"type":"of_tomorrow","x":1})"}) {
    EXPECT_GE(most(document), kMostTokensPerDocument) << document;
  }
  const std::string sound(16'000, 'A');
  const int64_t audio =
      most(R"({"type":"input_audio","input_audio":{"format":"wav","data":")" + sound + R"("}})");
  EXPECT_GE(audio, 1000);
  EXPECT_LT(audio, 1100);
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, RequestSplice,
    testing::Values(
        SplicingCase{R"({"model":"m","messages":[{"role":"user"}], "x" : 1.50 })", "up",
                     R"({"model":"up","messages":[{"role":"user"}], "x" : 1.50 })"},
        SplicingCase{R"({"model":"m","messages":[{"role":"user"}],"stream":true})", "a\"b",
                     R"({"model":"a\"b","messages":[{"role":"user"}],"stream":true,)"
                     R"("stream_options":{"include_usage":true}})"},
        SplicingCase{
            R"({"stream_options":{},"stream":true,"model":"m","messages":[{"role":"user"}]})", "up",
            R"({"stream_options":{"include_usage":true},"stream":true,"model":"up",)"
            R"("messages":[{"role":"user"}]})"},
        SplicingCase{
            R"({"model":"m","stream_options": null,"stream":true,"messages":[{"role":"user"}]})",
            "up",
            R"({"model":"up","stream_options": {"include_usage":true},"stream":true,)"
            R"("messages":[{"role":"user"}]})"},
        SplicingCase{
            R"({"model":"m","stream_options":{ "include_obfuscation":false},"stream":true,)"
            R"("messages":[{"role":"user"}]})",
            "up",
            R"({"model":"up","stream_options":{"include_usage":true,)"
            R"( "include_obfuscation":false},"stream":true,"messages":[{"role":"user"}]})"},
        SplicingCase{R"({"model":"m","stream_options":{"include_usage" :false},"stream":true,)"
                     R"("messages":[{"role":"user"}]})",
                     "up",
                     R"({"model":"up","stream_options":{"include_usage" :true},"stream":true,)"
                     R"("messages":[{"role":"user"}]})"}));

TEST(Request, NotesWhatADialectMayHaveToSayOtherwise) {
  const auto notes = [](std::string_view members) { return parse(with(members))->notes; };
  EXPECT_TRUE(notes(R"("anthropic":{})").extensions);
  EXPECT_FALSE(notes(R"("unknown":{})").extensions);
  EXPECT_TRUE(notes(R"("enable_thinking":false)").reasoning_fields);
  EXPECT_FALSE(notes(R"("reasoning_effort":null)").reasoning_fields);
  EXPECT_EQ(notes(R"("stop":["a","b"])").stop_count, 2);
  const auto of = [](std::string_view message) {
    const std::string text =
        R"({"model":"m","messages":[{"role":"user","content":"x"},)" + std::string(message) + "]}";
    return parse_request(Api::chat_completions, PaddedBytes(text))->notes;
  };
  EXPECT_TRUE(of(R"({"role":"developer","content":"x"})").developer_role);
  EXPECT_TRUE(of(R"({"role":"assistant","reasoning_details":[]})").extensions);
  EXPECT_TRUE(of(R"({"role":"assistant","tool_calls":[]})").calls_without_reasoning);
  const Notes whole = of(R"({"role":"assistant","tool_calls":[],"reasoning_content":""})");
  EXPECT_FALSE(whole.calls_without_reasoning);
  EXPECT_TRUE(whole.reasoning_text);
  const auto image = [&](std::string_view url) {
    return of(R"({"role":"user","content":[{"type":"image_url","image_url":{"url":")" +
              std::string(url) + R"("}}]})")
        .remote_media;
  };
  EXPECT_TRUE(image("http://x/y"));
  EXPECT_TRUE(image("https://x/y"));
  EXPECT_FALSE(image("data:image/png;base64,AA=="));
}

TEST(Request, SplicesFurtherEdits) {
  const PaddedBytes body(
      R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}],"a":1})");
  const auto view = parse_request(Api::chat_completions, body);
  const auto at = [&](std::string_view text) {
    return static_cast<uint32_t>(body.view().find(text));
  };
  const TextEdit edits[] = {{{at(R"(,"a")"), at(R"(,"a")") + 6}, ""},
                            {{at(R"(,"max)"), at(R"(,"mess)")}, R"(,"b":2)"}};
  EXPECT_EQ(splice(*view, body.view(), {.model = "up", .limit = {"max_tokens", 3}, .edits = edits})
                .to_string(),
            R"({"model":"up","b":2,"messages":[{"role":"user","content":"x"}]})");
}

}  // namespace
}  // namespace deeppool::llm
