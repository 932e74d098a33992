// Whatever chunks an upstream sends, the callers of other protocols get well-framed events of valid
// JSON, with blocks and items in order. The input is a stream: chunks separated by a NUL; those
// that the pipeline would not pass on are left out. Each chunk is tried as a whole answer, too.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "llm/anthropic/encoder.h"
#include "llm/openai/fuzz_judge.h"
#include "llm/responses/encoder.h"

namespace {

using namespace deeppool::llm;
using deeppool::json::PaddedBytes;

// Each event's data, as the judge reads it.
std::vector<boost::json::object> read_events(std::string_view out) {
  std::vector<boost::json::object> events;
  while (!out.empty()) {
    const size_t end = out.find("\n\n");
    if (!out.starts_with("event: ") || end == std::string_view::npos) std::abort();
    const std::string_view event = out.substr(0, end);
    const size_t data = event.find("\ndata: ");
    if (data == std::string_view::npos) std::abort();
    const std::string_view json = event.substr(data + 7);
    if (json.find_first_of("\r\n") != std::string_view::npos) std::abort();
    auto value = judge(json);
    if (!value) std::abort();
    if (value->as_object().at("type").as_string() != event.substr(7, data - 7)) std::abort();
    events.push_back(value->as_object());
    out.remove_prefix(end + 2);
  }
  return events;
}

// Blocks begin and end one after the other, numbered from 0.
void check_messages(std::string_view out) {
  int64_t begun = 0;
  bool open = false;
  for (const boost::json::object& event : read_events(out)) {
    const std::string_view type = event.at("type").as_string();
    if (!type.starts_with("content_block_")) continue;
    const bool start = type == "content_block_start";
    if (start == open) std::abort();
    if (start) ++begun;
    open = type != "content_block_stop";
    if (event.at("index").as_int64() != begun - 1) std::abort();
  }
  if (open) std::abort();
}

void check_responses(std::string_view out) {
  const auto events = read_events(out);
  int64_t added = 0;
  int64_t done = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].at("sequence_number").as_int64() != static_cast<int64_t>(i)) std::abort();
    const std::string_view type = events[i].at("type").as_string();
    if (type == "response.output_item.added" && added++ != done) std::abort();
    if (type == "response.output_item.done") ++done;
  }
  if (added != done || events.front().at("type").as_string() != "response.created") std::abort();
  const auto& response = events.back().at("response").as_object();
  if (static_cast<int64_t>(response.at("output").as_array().size()) != done) std::abort();
}

void check_whole(AnswerEncoder& encoder, const PaddedBytes& answer) {
  const auto made = encoder.whole(answer);
  if (!made) return;
  if (made->find_first_of("\r\n") != std::string::npos || !judge(*made)) std::abort();
}

void check_wholes(const PaddedBytes& answer) {
  anthropic::MessagesEncoder message("id", 1);
  check_whole(message, answer);
  responses::ResponsesEncoder response("id", {});
  check_whole(response, answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  anthropic::MessagesEncoder messages("id", 1);
  responses::Asked asked;
  asked.encrypted_reasoning = true;
  responses::ResponsesEncoder items("id", asked);
  std::string messages_out;
  std::string items_out;
  std::string_view input(reinterpret_cast<const char*>(bytes), size);
  while (true) {
    const size_t end = input.find('\0');
    const std::string_view text = input.substr(0, end);
    const bool one_line = text.find_first_of("\r\n") == std::string_view::npos;
    if (one_line && !beyond_the_judge(text) && judge(text)) {
      const PaddedBytes chunk(text);
      messages.chunk(chunk.view(), messages_out);
      items.chunk(chunk.view(), items_out);
      check_wholes(chunk);
    }
    if (end == std::string_view::npos) break;
    input.remove_prefix(end + 1);
  }
  messages.end(messages_out);
  items.end(items_out);
  check_messages(messages_out);
  check_responses(items_out);
  return 0;
}
