// RequestView: what the gateway needs to know of a request that it never serialises again, as
// offsets into the caller's bytes, and splice(), which makes the upstream's body out of them.
// Made once per request on its event loop; holds no pointers, so it may outlive the body.
// Rule: unknown fields pass untouched; known fields of a wrong type are refused, naming the field.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/padded.h"
#include "json/reader.h"
#include "llm/openai/spliced_body.h"

namespace deeppool::llm {

class Tokenizer;

enum class Api : uint8_t { chat_completions, completions, embeddings };

using ByteRange = json::Range;

// What routing policies look at.
struct Features {
  int64_t text_bytes = 0;  // UTF-8 bytes of all text that the model reads: messages, tools, schemas
  int64_t text_chars = 0;  // code points of the same
  int64_t input_token_ids = 0;  // given as token ids (completions, embeddings)
  // Of values that some model may read and others do not: what is not known here, and more.
  int64_t other_bytes = 0;
  int64_t audio_bytes = 0;     // of sound inside the body
  int64_t document_count = 0;  // files, films, and parts of kinds that are not known here
  int64_t message_count = 0;
  int image_count = 0;
  int tool_count = 0;
  bool has_reasoning = false;  // reasoning_effort other than none, else enable_thinking
  bool has_vision = false;     // an image part in the last user message
};

// What a vendor's dialect may have to say otherwise: whether to look at all.
struct Notes {
  bool developer_role = false;           // of some message
  bool extensions = false;               // a member of ours: anthropic, gemini, reasoning_details
  bool reasoning_fields = false;         // reasoning_effort or enable_thinking, not null
  bool reasoning_text = false;           // a message brings its reasoning_content back
  bool calls_without_reasoning = false;  // a message calls tools and brings none
  bool remote_media = false;             // most likely a content part has an http URL
  int stop_count = 0;                    // sequences of `stop`
};

struct RequestView {
  Api api = Api::chat_completions;
  std::string model;  // decoded, not empty
  bool stream = false;
  bool caller_wants_usage = false;    // stream_options.include_usage
  std::optional<int64_t> max_tokens;  // max_completion_tokens, else max_tokens; 1..kMaxTokens
  bool two_limits = false;            // both were given, and differ
  int64_t n = 1;                      // 1..kMaxChoices
  int64_t best_of = 1;                // likewise; as many are generated for the n that are shown
  int64_t prompts = 1;                // in the list that `prompt` or `input` is
  bool repeatable = false;  // temperature 0 or a seed: asked again, it should say the same
  Features features;

  // That are generated, each of up to max_tokens.
  int64_t choices() const { return prompts * std::max(n, best_of); }
  // The contract's rule, for routing: characters / 4, plus images, plus a few per message.
  int64_t estimated_prompt_tokens() const;
  // For reservations: bytes / 4. The same for ASCII, but nearer the truth for scripts such as
  // Chinese, where a three-byte character costs 0.6-0.8 tokens and not a quarter.
  int64_t reservable_prompt_tokens() const;

  // No byte-pair encoding makes more tokens than there are bytes; media by the constants of
  // limits.h. Where a model's context is shorter, that is the bound.
  int64_t most_prompt_tokens() const;
  // Of these what is not text and no estimate has in it.
  int64_t most_beyond_estimates() const;

  uint32_t prompt_begin = 0;  // where the value of messages, prompt or input begins in the body

  Notes notes;
  uint64_t fields = 0;  // the known ones that were given, null included; see gives()
  ByteRange tools_value;

  // For splice().
  ByteRange model_value;           // with its quotes
  ByteRange stream_options_value;  // empty if the field is absent
  ByteRange include_usage_value;   // empty if absent; inside stream_options_value
  ByteRange max_tokens_value;      // a number or null; empty if absent
  ByteRange max_completion_tokens_value;
  uint32_t messages_end = 0;  // at the bracket that closes them
  bool stream_options_has_members = false;
  uint32_t close_brace = 0;  // of the whole body
};

// Errors: invalid_request, with `param` set ("messages[2].content", "max_tokens") or, for malformed
// JSON, with the byte position in the message.
Result<RequestView> parse_request(Api api, const json::PaddedBytes& body);

// Whether the request has the known top-level field `name`.
bool gives(const RequestView& view, std::string_view name);

// A bound on the answer in the place of the caller's own, if there is one: in each of its fields
// that has a number, else in `field` ("max_tokens", "max_completion_tokens"), which may be null or
// absent.
struct OutputLimit {
  std::string_view field;
  int64_t tokens = 0;  // 0: nothing is changed
};

// body[where.begin, where.end) becomes `text`.
struct TextEdit {
  ByteRange where;
  std::string text;
};

// What is new in a body for an upstream.
struct Splicing {
  std::string_view model;
  OutputLimit limit = {};
  std::string_view last_message = {};  // one more, a JSON object; empty: none
  std::string_view members = {};       // more of the whole, each with its comma before it
  // Further ones, from front to back; what they take away needs no edit of the others' any more.
  std::span<const TextEdit> edits = {};
};

// The body for the upstream: `model` replaced, for streams stream_options.include_usage forced to
// true, and the rest of `splicing`; every other byte as the caller sent it. `view` was made from
// `body`. The result refers to `body` and to what `splicing` views.
SplicedBody splice(const RequestView& view, std::string_view body, const Splicing& splicing);

// An estimate for when the upstream reports no usage: the text by `tokenizer`, pictures and
// template overhead by the constants of limits.h. Walks the body again; linear, about 20 MB/s. 0 if
// malformed. Of a text longer than `counted_bytes` the rest is taken to be like its beginning.
int64_t count_prompt_tokens(Api api, const json::PaddedBytes& body, const Tokenizer& tokenizer,
                            int64_t counted_bytes = INT64_MAX);

}  // namespace deeppool::llm
