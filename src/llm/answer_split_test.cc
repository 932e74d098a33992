// However an upstream cuts an answer into chunks, what its caller puts together is the same.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/json.hpp>

#include "llm/anthropic/encoder.h"
#include "llm/responses/encoder.h"

namespace deeppool::llm {
namespace {

using json::PaddedBytes;
namespace bj = boost::json;

struct Said {
  std::string thoughts = "So: \"think\" \\ then\n act";
  std::string text = "h\xc3\xa9llo {\"a\":[1]} }\n";
  std::vector<std::string> arguments = {R"({"path":"a \"}\" b","n":[1,{"x":{}}]})",
                                        R"({"q":"\\"})"};
};

// Cuts `text` at any of its bytes that begin a character.
std::vector<std::string> cut(const std::string& text) {
  std::vector<std::string> pieces;
  size_t begin = 0;
  while (begin < text.size()) {
    size_t end = begin + *rc::gen::inRange<size_t>(1, 6);
    while (end < text.size() && (text[end] & 0xc0) == 0x80) ++end;
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

std::string chunk_of(bj::object delta) {
  bj::object choice{{"index", 0}, {"delta", std::move(delta)}, {"finish_reason", nullptr}};
  return bj::serialize(bj::object{{"id", "c"}, {"model", "m"}, {"choices", bj::array{choice}}});
}

bj::object call_delta(size_t index, std::string_view piece) {
  bj::object call{{"index", index}, {"function", bj::object{{"arguments", piece}}}};
  return {{"tool_calls", bj::array{call}}};
}

bj::object call_head(size_t index) {
  const bj::object function{{"name", "f" + std::to_string(index)}, {"arguments", ""}};
  const bj::object call{
      {"index", index}, {"id", "call_" + std::to_string(index)}, {"function", function}};
  return {{"tool_calls", bj::array{call}}};
}

// The calls' pieces in any mixture that keeps each call's own order.
std::vector<std::string> chunks_of(const Said& said) {
  std::vector<std::string> chunks;
  for (const std::string& p : cut(said.thoughts))
    chunks.push_back(chunk_of({{"reasoning_content", p}}));
  for (const std::string& p : cut(said.text)) chunks.push_back(chunk_of({{"content", p}}));
  std::vector<std::vector<std::string>> calls;
  for (size_t i = 0; i < said.arguments.size(); ++i) {
    calls.emplace_back();
    calls.back().push_back(chunk_of(call_head(i)));
    for (const std::string& p : cut(said.arguments[i])) {
      calls.back().push_back(chunk_of(call_delta(i, p)));
    }
  }
  std::vector<size_t> next(calls.size(), 0);
  while (true) {
    std::vector<size_t> open;
    for (size_t i = 0; i < calls.size(); ++i) {
      // A call is not begun before the one in front of it is.
      const bool may = next[i] < calls[i].size() && (i == 0 || next[i - 1] > 0);
      if (may) open.push_back(i);
    }
    if (open.empty()) return chunks;
    const size_t i = open[*rc::gen::inRange<size_t>(0, open.size())];
    chunks.push_back(calls[i][next[i]++]);
  }
}

std::string encoded(AnswerEncoder& encoder, const std::vector<std::string>& chunks) {
  std::string out;
  for (const std::string& chunk : chunks) {
    const PaddedBytes padded(chunk);
    encoder.chunk(padded.view(), out);
  }
  encoder.end(out);
  return out;
}

// What an Anthropic client puts together.
std::vector<std::string> collect(std::string_view out) {
  std::vector<std::string> blocks;
  while (!out.empty()) {
    const size_t end = out.find("\n\n");
    const std::string_view event = out.substr(0, end);
    const bj::object data = bj::parse(event.substr(event.find("\ndata: ") + 7)).as_object();
    if (data.at("type") == "content_block_start") blocks.emplace_back();
    if (data.at("type") == "content_block_delta") {
      for (const auto& [name, value] : data.at("delta").as_object()) {
        if (name != "type") blocks[data.at("index").to_number<size_t>()] += value.as_string();
      }
    }
    out.remove_prefix(end + 2);
  }
  return blocks;
}

RC_GTEST_PROP(AnswerSplit, NoCutChangesAMessage, ()) {
  const Said said;
  anthropic::MessagesEncoder encoder("id", 0);
  const std::vector<std::string> blocks = collect(encoded(encoder, chunks_of(said)));
  RC_ASSERT(blocks == (std::vector<std::string>{said.thoughts, said.text, said.arguments[0],
                                                said.arguments[1]}));
}

RC_GTEST_PROP(AnswerSplit, NoCutChangesAResponse, ()) {
  const Said said;
  responses::ResponsesEncoder encoder("id", {});
  const std::string out = encoded(encoder, chunks_of(said));
  const size_t last = out.rfind("\ndata: ") + 7;
  const bj::object end = bj::parse(out.substr(last, out.size() - last - 2)).as_object();
  const bj::array& output = end.at("response").at("output").as_array();
  RC_ASSERT(output.size() == 4u);
  RC_ASSERT(output[0].at("content").at(0).at("text").as_string() == said.thoughts);
  RC_ASSERT(output[1].at("content").at(0).at("text").as_string() == said.text);
  RC_ASSERT(output[2].at("arguments").as_string() == said.arguments[0]);
  RC_ASSERT(output[3].at("arguments").as_string() == said.arguments[1]);
}

}  // namespace
}  // namespace deeppool::llm
