// A coding agent's traffic in callers' other protocols, whole goldens.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "llm/anthropic/encoder.h"
#include "llm/anthropic/request.h"
#include "llm/responses/encoder.h"
#include "testing/golden.h"

namespace deeppool::llm {
namespace {

const std::filesystem::path kFolder = DEEPPOOL_SOURCE_DIR "/src/llm/testdata";

std::string encoded(AnswerEncoder& encoder) {
  std::string out;
  std::string chunks = testing::read_file(kFolder / "agent.chunks");
  for (size_t begin = 0; begin < chunks.size();) {
    const size_t end = chunks.find('\n', begin);
    const json::PaddedBytes chunk(std::string_view(chunks).substr(begin, end - begin));
    encoder.chunk(chunk.view(), out);
    begin = end + 1;
  }
  encoder.end(out);
  return out;
}

TEST(ProtocolGoldens, AgentsRequestInTheHouse) {
  const json::PaddedBytes request(testing::read_file(kFolder / "agent.messages.json"));
  const auto house = anthropic::to_house(request, anthropic::Purpose::answer, "a-2026-01-01");
  ASSERT_TRUE(house) << house.error().message;
  testing::expect_golden(kFolder / "agent.house.json", std::string(house->body.view()) + "\n");
}

TEST(ProtocolGoldens, AgentsAnswerAsAMessage) {
  anthropic::MessagesEncoder encoder("0123", 9100);
  testing::expect_golden(kFolder / "agent.messages.sse", encoded(encoder));
}

TEST(ProtocolGoldens, AgentsAnswerAsAResponse) {
  responses::Asked asked;
  asked.encrypted_reasoning = true;
  asked.repeated = "\"instructions\":null,";
  responses::ResponsesEncoder encoder("0123", std::move(asked));
  testing::expect_golden(kFolder / "agent.responses.sse", encoded(encoder));
}

}  // namespace
}  // namespace deeppool::llm
