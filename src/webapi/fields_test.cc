#include "webapi/fields.h"

#include <gtest/gtest.h>

namespace deeppool::webapi {
namespace {

// Reads every kind of field once; what is wrong is in the error.
Result<void> read(std::string_view body) {
  Fields f(body);
  f.required_text("name", {.min = 1, .max = 5});
  f.text("note", {.max = 3});
  f.secret("password", 8);
  f.flag("on");
  f.integer("n", {.min = -1, .max = 10});
  f.nullable_integer("until", {.min = 0});
  f.texts("tags", {.max = 2, .item = {.min = 1, .max = 4}});
  f.ids("endpoint_ids", {.min = 1, .max = 2});
  f.choice("kind", {"a", "b"});
  f.not_yet("prices");
  return f.finish();
}

TEST(Fields, RawTextIsAsItWasWritten) {
  constexpr std::string_view kBody =
      R"({"a": 0.10000000000000000001 ,"b":[ {"x":1e2} ],"a":1.50,"c":null,"d":"1"})";
  Fields f(kBody);
  EXPECT_EQ(f.raw("a"), "1.50");
  EXPECT_EQ(f.raw("b"), R"([ {"x":1e2} ])");
  EXPECT_EQ(f.raw("c"), "null");
  EXPECT_EQ(f.raw("d"), "\"1\"");
  EXPECT_EQ(f.raw("none"), std::nullopt);
  EXPECT_TRUE(f.finish().ok());
}

struct Case {
  const char* body;
  const char* param;
  const char* says;
};

TEST(Fields, NamesTheFieldAndWhatWasExpected) {
  const Case cases[] = {
      {"", "", "not valid JSON"},
      {"{", "", "not valid JSON"},
      {"{} x", "", "not valid JSON"},
      {"[]", "", "JSON object"},
      {"null", "", "JSON object"},
      {"{\"name\":\"\xff\"}", "", "not valid JSON"},
      {"{}", "name", "required"},
      {R"({"name":null})", "name", "a string"},
      {R"({"name":5})", "name", "a string"},
      {R"({"name":""})", "name", "1 to 5 bytes"},
      {R"({"name":"123456"})", "name", "1 to 5 bytes"},
      {R"({"name":"a\nb"})", "name", "control characters"},
      {R"({"name":"a\u0000"})", "name", "control characters"},
      {R"({"name":"a","note":"1234"})", "note", "at most 3"},
      {R"({"name":"a","password":"123456789"})", "password", "at most 8"},
      {R"({"name":"a","password":1})", "password", "a string"},
      {R"({"name":"a","on":1})", "on", "true or false"},
      {R"({"name":"a","on":"true"})", "on", "true or false"},
      {R"({"name":"a","n":11})", "n", "from -1 to 10"},
      {R"({"name":"a","n":-2})", "n", "from -1 to 10"},
      {R"({"name":"a","n":1.5})", "n", "an integer"},
      {R"({"name":"a","n":1e1})", "n", "an integer"},
      {R"({"name":"a","n":"1"})", "n", "an integer"},
      {R"({"name":"a","n":null})", "n", "an integer"},
      {R"({"name":"a","n":18446744073686646784})", "n", "an integer"},
      {R"({"name":"a","until":-1})", "until", "at least 0"},
      {R"({"name":"a","tags":"x"})", "tags", "a list"},
      {R"({"name":"a","tags":["a","b","c"]})", "tags", "0 to 2 items"},
      {R"({"name":"a","tags":["a","a"]})", "tags[1]", "different"},
      {R"({"name":"a","tags":["a",""]})", "tags[1]", "1 to 4 bytes"},
      {R"({"name":"a","tags":["a",1]})", "tags[1]", "a string"},
      {R"({"name":"a","endpoint_ids":[]})", "endpoint_ids", "1 to 2 items"},
      {R"({"name":"a","endpoint_ids":[0]})", "endpoint_ids[0]", "at least 1"},
      {R"({"name":"a","endpoint_ids":[1,1]})", "endpoint_ids[1]", "different"},
      {R"({"name":"a","kind":"c"})", "kind", "one of \"a\", \"b\""},
      {R"({"name":"a","prices":[]})", "prices", "not supported by this version"},
      {R"({"name":"a","role":"admin"})", "role", "not a field"},
      {R"({"name":"a","Name":"b"})", "Name", "not a field"},
  };
  for (const Case& c : cases) {
    const auto done = read(c.body);
    ASSERT_FALSE(done.ok()) << c.body;
    EXPECT_EQ(done.error().code, ErrorCode::invalid_request) << c.body;
    EXPECT_EQ(done.error().param, c.param) << c.body;
    EXPECT_NE(done.error().message.find(c.says), std::string::npos)
        << c.body << ": " << done.error().message;
  }
}

TEST(Fields, TakesWhatIsRight) {
  const auto done = read(
      R"({"name":"abc","note":"","password":"p\n","on":false,"n":-1,"until":null,"tags":[],
          "endpoint_ids":[2,1],"kind":"b"})");
  EXPECT_TRUE(done.ok()) << done.error().message;
}

TEST(Fields, TellsAbsentFromNull) {
  Fields f(R"({"a":null,"b":7})");
  const auto a = f.nullable_integer("a", {});
  ASSERT_TRUE(a.has_value());
  EXPECT_FALSE(a->has_value());
  EXPECT_EQ(f.nullable_integer("b", {}), std::optional<std::optional<int64_t>>(7));
  EXPECT_FALSE(f.nullable_integer("c", {}).has_value());
  EXPECT_TRUE(f.finish().ok());
}

TEST(Fields, OddFieldNamesAreNotEchoed) {
  for (const std::string& name : {std::string("a\\nb"), std::string(300, 'x')}) {
    Fields f("{\"" + name + "\":1}");
    const auto done = f.finish();
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().param, "");
    EXPECT_LT(done.error().message.size(), 100u);
  }
}

TEST(Fields, DeepBodiesAreRefused) {
  Fields f(std::string(100'000, '[') + std::string(100'000, ']'));
  EXPECT_FALSE(f.finish().ok());
}

TEST(Fields, MoneyIsTakenDigitByDigit) {
  const MoneyRule rule{*base::Money::parse("-5"), *base::Money::parse("900000000")};
  const struct {
    const char* written;
    const char* amount;  // null: refused
  } cases[] = {{"0.1", "0.1"},
               {"\"0.1\"", "0.1"},
               {"123456789.0123456789", "123456789.0123456789"},  // a double has 15 digits
               {"1e-10", "0.0000000001"},
               {"-5", "-5"},
               {"0.00000000001", nullptr},
               {"-5.0000000001", nullptr},
               {"900000000.0000000001", nullptr},
               {"\"\"", nullptr},
               {"\"1,5\"", nullptr},
               {"\" 1\"", nullptr},
               {"null", nullptr},
               {"true", nullptr},
               {"[1]", nullptr}};
  for (const auto& c : cases) {
    const std::string body = std::string(R"({"m":)") + c.written + "}";
    Fields fields(body);
    const auto amount = fields.money("m", rule);
    EXPECT_EQ(amount ? amount->to_string() : "", c.amount == nullptr ? "" : c.amount) << body;
    const auto finished = fields.finish();
    EXPECT_EQ(finished.ok(), c.amount != nullptr) << body;
    if (!finished) EXPECT_EQ(finished.error().param, "m");
  }
  Fields absent("{}");
  EXPECT_FALSE(absent.money("m", rule));
  EXPECT_TRUE(absent.finish());
}

}  // namespace
}  // namespace deeppool::webapi
