// Reader: a forward-only, validating walk over one JSON text (RFC 8259) that knows the byte offset
// of everything it passes, so that callers can splice the text instead of serialising it again. A
// value object on the stack of one parse; allocates nothing unless a key has escapes. Invariant:
// the first fault sticks; after it every call says "none", "end" or an empty range. Accepts what
// the grammar accepts, lone surrogate escapes included (some upstreams split an emoji over two
// chunks), with nesting up to kMaxDepth and only well-formed UTF-8 (checked by finish()).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/limits.h"

namespace deeppool::json {

enum class Kind : uint8_t { object, array, string, number, boolean, null, none };

// What a value is, by its first character.
inline constexpr std::array<Kind, 256> kKindOf = [] {
  std::array<Kind, 256> table;
  table.fill(Kind::none);
  table['{'] = Kind::object;
  table['['] = Kind::array;
  table['"'] = Kind::string;
  table['t'] = table['f'] = Kind::boolean;
  table['n'] = Kind::null;
  table['-'] = Kind::number;
  for (int digit = '0'; digit <= '9'; ++digit) table[static_cast<size_t>(digit)] = Kind::number;
  return table;
}();

struct Range {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
};

struct StringToken {
  Range raw;                   // between the quotes, escapes as written
  uint32_t decoded_bytes = 0;  // UTF-8 length after decoding the escapes
  uint32_t decoded_chars = 0;  // code points
  bool escaped = false;
};

class Reader {
 public:
  // `text` must have kPadding readable bytes behind it and outlive the reader.
  explicit Reader(std::string_view text);

  bool ok() const { return reason_ == nullptr; }
  size_t error_position() const { return error_position_; }
  // English, lower case, e.g. "expected ',' or '}'". Empty while ok().
  std::string_view error_reason() const { return reason_ == nullptr ? "" : reason_; }

  // The kind of the value that comes next; consumes only white space.
  Kind peek() {
    const Kind kind = cursor_ < end_ ? kKindOf[static_cast<uint8_t>(*cursor_)] : Kind::none;
    return kind != Kind::none ? kind : peek_slowly();
  }
  // Where that value starts. Meaningful after peek() or next().
  uint32_t position() const { return static_cast<uint32_t>(cursor_ - text_); }
  // Passes over one value of any kind, validating all of it.
  Range skip();
  // The next value must be of that kind, or the reader fails.
  StringToken read_string();
  bool read_bool();
  // The spelling of the next number; see number.h to interpret it.
  Range read_number();

  // True if nothing but white space follows and all of the text is well-formed UTF-8.
  bool finish();

  std::string_view text(Range range) const { return {text_ + range.begin, range.size()}; }
  std::string_view text(const StringToken& token) const { return text(token.raw); }
  // The decoded string: a view into the text, or into `scratch` if it had escapes.
  std::string_view decode(const StringToken& token, std::string& scratch) const;
  // A line break was passed between tokens (never inside a string: that is a fault).
  bool saw_line_break() const { return saw_line_break_; }

 private:
  friend class Members;
  friend class Elements;

  Kind peek_slowly();
  void skip_space();
  void fail(const char* reason);
  bool enter(char open);
  // Behind `count` elements: consumes `close` (false), or the comma before the next one (true).
  bool more(char close, int count, const char* reason);
  bool skip_nested();
  bool skip_literal(std::string_view word);
  bool skip_number();
  bool skip_string(StringToken& token);
  bool skip_short_string(StringToken& token);
  bool skip_any_string(StringToken& token);
  const char* skip_escape(const char* p, StringToken& token);

  const char* text_;
  const char* cursor_;
  const char* end_;
  const char* reason_ = nullptr;
  size_t error_position_ = 0;
  int depth_ = 0;
  bool non_ascii_ = false;
  bool saw_line_break_ = false;
};

// for (Members m(reader); m.next();) { m.key(); ... consume exactly one value ... }
class Members {
 public:
  explicit Members(Reader& reader);
  // Goes on in a top-level object behind the first `offset` bytes, which must be known to be good
  // and to end right after a member's value.
  static Members resume(Reader& reader, size_t offset);

  bool next() { return next_usual() || next_slowly(); }
  // Decoded. Valid until the next call.
  std::string_view key() const { return key_; }
  uint32_t key_begin() const { return key_begin_; }  // at its opening quote
  bool first() const { return count_ == 1; }
  // After next() returned false: where the closing brace stands.
  uint32_t close() const { return close_; }

 private:
  Members(Reader& reader, int count) : reader_(reader), count_(count) {}
  bool next_usual();
  bool next_slowly();

  Reader& reader_;
  std::string_view key_;
  std::string scratch_;
  uint32_t key_begin_ = 0;
  uint32_t close_ = 0;
  int count_ = 0;
};

// for (Elements e(reader); e.next();) { ... consume exactly one value ... }
class Elements {
 public:
  explicit Elements(Reader& reader);
  bool next();
  int index() const { return count_ - 1; }

 private:
  Reader& reader_;
  int count_ = 0;
};

// Decodes the escapes of a validated raw string and appends it. A lone surrogate becomes U+FFFD.
void append_unescaped(std::string& out, std::string_view raw);

}  // namespace deeppool::json
