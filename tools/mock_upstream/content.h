// Content: what an answer says, apart from the dialect that says it and how it is framed. One piece
// is one streamed bit and one billed completion token, so that the usage of every answer can be
// worked out from the request alone. Pieces come in this order: thoughts, text, calls of tools.
// Plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mock_upstream/ask.h"

namespace deeppool::mock {

// How an answer ends; each dialect has its own word for it.
enum class Finish { stop, length, calls, filter };

struct ToolCall {
  std::string id;  // empty: the vendor gives none
  std::string name;
  std::vector<std::string> arguments;  // pieces of a JSON text
};

struct Piece {
  enum class Kind { thought, text, call, arguments };
  Kind kind = Kind::text;
  int64_t index = 0;  // within its kind; of arguments: within their call
  size_t call = 0;
  bool last = false;  // of its call
};

struct Content {
  int64_t words = 0;  // "w1 w2 ..." when there are no texts
  int64_t first_word = 0;
  std::vector<std::string> texts;     // pieces of the text
  std::vector<std::string> thoughts;  // pieces of what was thought
  std::vector<ToolCall> calls;
  Finish finish = Finish::stop;
  bool raw_texts = false;  // bytes that go into the JSON as they are, right or wrong
  bool redacted = false;   // thoughts come sealed
  bool call_type = true;   // calls have a `type`, an `index`
  bool call_index = true;

  int64_t pieces() const;
  // Beyond the last one text goes on for ever.
  Piece piece(int64_t i) const;
  // The text of a thought, text or arguments: JSON-escaped, without quotes.
  void append(std::string& out, const Piece& piece) const;
  std::string text() const;     // all of it, JSON-escaped
  std::string thought() const;  // all of it, as it is
};

// Words: as many as the script's `tokens` (or `chunks`) says, or max_tokens, or the default; never
// more than max_tokens, which then is the finish reason. Of an answer that is to be gone on with
// only those that it lacks.
Content word_content(const Ask& ask);
// A text cut into pieces of `piece_bytes` (whole UTF-8 characters), each billed as one token.
Content text_content(std::string_view text, size_t piece_bytes);
// Leaves out of the texts what the caller has already.
void skip_answered(Content& content, std::string_view answered);

// Token counts as the house dialect counts: cached ones inside the prompt, thoughts inside the
// completion.
struct Usage {
  int64_t prompt = 0;
  int64_t completion = 0;
  int64_t reasoning = 0;
  int64_t cache_read = 0;
  int64_t cache_write = 0;
};
// `cached=` and `cache_write=` of the script are parts of the prompt.
Usage usage_of(const Ask& ask, int64_t completion, int64_t reasoning);

// What all events of an answer share.
struct Identity {
  Route route = Route::chat;
  std::string id;
  std::string model;
  int64_t created = 0;  // Unix seconds
};

std::string embeddings_answer(const Ask& ask);
std::string models_answer(Dialect dialect);
std::string count_answer(const Ask& ask);

}  // namespace deeppool::mock
