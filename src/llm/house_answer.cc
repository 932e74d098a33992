#include "llm/house_answer.h"

#include "json/number.h"

namespace deeppool::llm {

using json::Kind;
using json::Reader;

namespace {

// The text of the next value if it is of that kind; consumes it whatever it is.
std::string_view take(Reader& reader, Kind kind) {
  const bool fits = reader.peek() == kind;
  if (fits && kind == Kind::string) return reader.text(reader.read_string());
  const std::string_view text = reader.text(reader.skip());
  return fits ? text : std::string_view();
}

void read_message(Reader& reader, HouseAnswer& answer) {
  if (reader.peek() != Kind::object) {
    reader.skip();
    return;
  }
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "content") {
      const bool parts = reader.peek() == Kind::array;
      (parts ? answer.content_parts : answer.content) =
          take(reader, parts ? Kind::array : Kind::string);
    } else if (key == "reasoning_content" || key == "reasoning") {
      const std::string_view text = take(reader, Kind::string);
      if (answer.reasoning.empty()) answer.reasoning = text;  // some send it under both names
    } else if (key == "tool_calls") {
      answer.tool_calls = take(reader, Kind::array);
    } else if (key == "reasoning_details") {
      answer.reasoning_details = take(reader, Kind::array);
    } else if (key == "refusal") {
      answer.refusal = take(reader, Kind::string);
    } else {
      reader.skip();
    }
  }
}

// False: not the first choice.
bool read_choice(Reader& reader, HouseAnswer& answer) {
  bool first = true;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "delta" || key == "message") {
      read_message(reader, answer);
    } else if (key == "finish_reason") {
      answer.finish_reason = take(reader, Kind::string);
    } else if (key == "stop_reason") {
      answer.stop_reason = take(reader, Kind::string);
    } else if (key == "stop_sequence") {
      answer.stop_sequence = take(reader, Kind::string);
    } else if (key == "index") {
      const std::string_view index = take(reader, Kind::number);
      first = index.empty() || json::to_integer(index).value_or(0) == 0;
    } else {
      reader.skip();
    }
  }
  return first;
}

void read_choices(Reader& reader, HouseAnswer& answer) {
  if (reader.peek() != Kind::array) {
    reader.skip();
    return;
  }
  for (json::Elements choices(reader); choices.next();) {
    answer.has_choices = true;
    if (reader.peek() != Kind::object) {
      reader.skip();
      continue;
    }
    HouseAnswer read = answer;
    if (read_choice(reader, read)) answer = read;
  }
}

}  // namespace

bool read_house_answer(std::string_view json, HouseAnswer& answer) {
  Reader reader(json);
  if (reader.peek() != Kind::object) return false;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "choices") {
      read_choices(reader, answer);
    } else if (key == "id") {
      answer.id = take(reader, Kind::string);
    } else if (key == "model") {
      answer.model = take(reader, Kind::string);
    } else if (key == "created") {
      answer.created = take(reader, Kind::number);
    } else if (key == "usage") {
      answer.usage = take(reader, Kind::object);
    } else if (key == "deeppool") {
      answer.deeppool = take(reader, Kind::object);
    } else {
      reader.skip();
    }
  }
  return reader.ok();
}

HouseToolCall read_tool_call(Reader& reader) {
  HouseToolCall call;
  if (reader.peek() != Kind::object) {
    reader.skip();
    return call;
  }
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "index") {
      call.index = json::to_integer(take(reader, Kind::number)).value_or(-1);
    } else if (key == "id") {
      call.id = take(reader, Kind::string);
    } else if (key == "extra_content") {
      call.extra_content = take(reader, Kind::object);
    } else if (key == "function" && reader.peek() == Kind::object) {
      for (json::Members of(reader); of.next();) {
        const bool name = of.key() == "name";
        const bool arguments = of.key() == "arguments";
        const std::string_view text = take(reader, Kind::string);
        if (name) call.name = text;
        if (arguments) call.arguments = text;
      }
    } else {
      reader.skip();
    }
  }
  return call;
}

HouseContentPart read_content_part(Reader& reader) {
  HouseContentPart part;
  if (reader.peek() != Kind::object) {
    reader.skip();
    return part;
  }
  for (json::Members members(reader); members.next();) {
    const bool thinking = members.key() == "thinking";
    if (!thinking && members.key() != "text") {
      reader.skip();
      continue;
    }
    part.thinks = part.thinks || thinking;
    const bool parts = reader.peek() == Kind::array;
    (parts ? part.parts : part.text) = take(reader, parts ? Kind::array : Kind::string);
  }
  return part;
}

ReasoningDetail read_reasoning_detail(Reader& reader) {
  ReasoningDetail detail;
  const bool object = reader.peek() == Kind::object;
  const uint32_t begin = reader.position();
  if (!object) {
    reader.skip();
    return detail;
  }
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "type") {
      detail.type = take(reader, Kind::string);
    } else if (key == "thinking") {
      detail.thinking = take(reader, Kind::string);
    } else if (key == "signature") {
      detail.signature = take(reader, Kind::string);
    } else if (key == "data") {
      detail.data = take(reader, Kind::string);
    } else {
      reader.skip();
    }
  }
  detail.whole = reader.text(json::Range{begin, reader.position()});
  return detail;
}

}  // namespace deeppool::llm
