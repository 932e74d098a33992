#include "idempotency/kept_answer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace deeppool::idempotency {
namespace {

RC_GTEST_PROP(KeptAnswer, DecodeUndoesEncode, ()) {
  const auto text = rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'));
  KeptAnswer answer;
  answer.form = *rc::gen::element(KeptAnswer::Form::whole, KeptAnswer::Form::stream);
  answer.content_type = *text;
  const int headers = *rc::gen::inRange(0, 4);
  for (int i = 0; i < headers; ++i) answer.headers.emplace_back("x-" + std::to_string(i), *text);
  answer.body = *rc::gen::string<std::string>();
  const auto back = decode(encode(answer));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == answer);
}

TEST(KeptAnswer, RefusesOtherBytes) {
  for (const char* bytes : {"", "whole", "whole\n", "whole\ntext/plain\n", "half\nx\n\nbody",
                            "whole\nx\nno colon\n\nbody", "stream\nx\na:b\n"}) {
    EXPECT_FALSE(decode(bytes).has_value()) << bytes;
  }
}

}  // namespace
}  // namespace deeppool::idempotency
