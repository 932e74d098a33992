// HouseAnswer: the members of one house event (a chat completion or a chunk of one) that other
// protocols have words for, as views into it. Filled by one walk per event, without allocation.
// Only the first choice counts: no other protocol has more.
#pragma once

#include <string_view>

#include "json/reader.h"

namespace deeppool::llm {

// Strings are without their quotes, escapes as written; other values as they stand. Empty: absent,
// null, or an empty string.
struct HouseAnswer {
  std::string_view id;
  std::string_view model;
  std::string_view created;   // a number
  std::string_view usage;     // an object
  std::string_view deeppool;  // an object: why we ended a stream
  bool has_choices = false;
  // Of the choice's `delta` or `message`.
  std::string_view reasoning;  // reasoning_content, or what some call `reasoning`
  std::string_view content;
  std::string_view content_parts;  // an array, where some vendors have it in place of the string
  std::string_view refusal;
  std::string_view reasoning_details;  // an array
  std::string_view tool_calls;         // an array
  std::string_view finish_reason;
  std::string_view stop_reason;    // the vendor's own word for the end, where it is said
  std::string_view stop_sequence;  // the one that was met, where the vendor says so
};

// `json` is valid, with json::kPadding bytes behind it. False: it is no object.
bool read_house_answer(std::string_view json, HouseAnswer& answer);

// One element of `tool_calls`.
struct HouseToolCall {
  int64_t index = -1;  // -1: not said
  std::string_view id;
  std::string_view name;
  std::string_view arguments;
  std::string_view extra_content;  // an object: what the vendor wants back with the call
};
HouseToolCall read_tool_call(json::Reader& reader);

// One element of `content_parts`: {"type":"text","text":...} or {"type":"thinking","thinking":...},
// whose value is a text or again parts.
struct HouseContentPart {
  bool thinks = false;
  std::string_view text;
  std::string_view parts;  // an array
};
HouseContentPart read_content_part(json::Reader& reader);

// One element of `reasoning_details`.
struct ReasoningDetail {
  std::string_view whole;  // the element
  std::string_view type;
  std::string_view thinking;
  std::string_view signature;
  std::string_view data;
};
ReasoningDetail read_reasoning_detail(json::Reader& reader);

}  // namespace deeppool::llm
