#include "json/reader.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "json/block.h"

namespace deeppool::json {

namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hexadecimal digits, or -1.
int hex4(const char* p) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// How many bytes are well-formed UTF-8. Only asked when it is known that not all are.
size_t well_formed_prefix(std::string_view s) {
  size_t good = 0;
  while (good < s.size()) {
    const auto lead = static_cast<uint8_t>(s[good]);
    const size_t length = lead < 0x80 ? 1 : static_cast<size_t>(std::countl_one(lead));
    if (lead >= 0x80 && !base::valid_utf8(s.substr(good, length))) break;
    good += length;
  }
  return good;
}

// Looks for the end of a plain string of ASCII that is shorter than two blocks.
struct ShortScan {
  uint32_t size = 0;
  bool closed = false;

  explicit ShortScan(const char* p) {
    Block block(p);
    if (block.special == 0 && block.non_ascii == 0) {
      size = kBlockBytes;
      block = Block(p + kBlockBytes);
    }
    if (block.special == 0 || block.non_ascii != 0) return;
    size += static_cast<uint32_t>(std::countr_zero(block.special));
    closed = p[size] == '"';
  }
};

constexpr bool is_high_surrogate(int unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
constexpr bool is_low_surrogate(int unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

}  // namespace

Reader::Reader(std::string_view text)
    : text_(text.data()), cursor_(text.data()), end_(text.data() + text.size()) {
  if (text.size() > kMaxTextBytes) fail("the text is too large");
}

void Reader::fail(const char* reason) {
  if (reason_ != nullptr) return;
  reason_ = reason;
  error_position_ = static_cast<size_t>(std::min(cursor_, end_) - text_);
  cursor_ = end_;
}

inline void Reader::skip_space() {
  while (cursor_ < end_ && static_cast<uint8_t>(*cursor_) <= ' ') {
    const char c = *cursor_;
    if (c == '\n' || c == '\r') {
      saw_line_break_ = true;
    } else if (c != ' ' && c != '\t') {
      return;
    }
    ++cursor_;
  }
}

// Behind white space, or where no value is.
Kind Reader::peek_slowly() {
  skip_space();
  const Kind kind = cursor_ < end_ ? kKindOf[static_cast<uint8_t>(*cursor_)] : Kind::none;
  if (kind == Kind::none) fail(cursor_ < end_ ? "expected a value" : "the text ends too early");
  return kind;
}

Range Reader::skip() {
  const Kind kind = peek();
  const uint32_t begin = position();
  StringToken token;
  bool good = false;
  switch (kind) {
    case Kind::object:
    case Kind::array:
      good = skip_nested();
      break;
    case Kind::string:
      good = skip_string(token);
      break;
    case Kind::number:
      good = skip_number();
      break;
    case Kind::boolean:
      good = skip_literal(*cursor_ == 't' ? "true" : "false");
      break;
    case Kind::null:
      good = skip_literal("null");
      break;
    case Kind::none:
      break;
  }
  return good ? Range{begin, position()} : Range{begin, begin};
}

bool Reader::skip_nested() {
  if (*cursor_ == '{') {
    Members members(*this);
    while (members.next()) skip();
  } else {
    Elements elements(*this);
    while (elements.next()) skip();
  }
  return ok();
}

bool Reader::skip_literal(std::string_view word) {
  if (static_cast<size_t>(end_ - cursor_) < word.size() ||
      std::memcmp(cursor_, word.data(), word.size()) != 0) {
    fail("expected a value");
    return false;
  }
  cursor_ += word.size();
  return true;
}

bool Reader::skip_number() {
  const char* p = cursor_;
  const auto digits = [&] {
    const char* from = p;
    while (p < end_ && is_digit(*p)) ++p;
    return p > from;
  };
  if (*p == '-') ++p;
  const bool leading_zero = p < end_ && *p == '0';
  const char* integer = p;
  bool good = digits() && !(leading_zero && p - integer > 1);
  if (good && p < end_ && *p == '.') {
    ++p;
    good = digits();
  }
  if (good && p < end_ && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p < end_ && (*p == '+' || *p == '-')) ++p;
    good = digits();
  }
  if (!good)
    fail("not a number");
  else
    cursor_ = p;
  return good;
}

// Most strings are keys and words: at most two blocks, ASCII, without escapes.
inline bool Reader::skip_short_string(StringToken& token) {
  const char* const p = cursor_ + 1;
  const ShortScan scan(p);
  if (!scan.closed || p + scan.size >= end_) return false;
  token.raw.begin = static_cast<uint32_t>(p - text_);
  token.raw.end = token.raw.begin + scan.size;
  token.decoded_bytes = token.decoded_chars = scan.size;
  token.escaped = false;
  cursor_ = p + scan.size + 1;
  return true;
}

bool Reader::skip_string(StringToken& token) {
  return skip_short_string(token) || skip_any_string(token);
}

bool Reader::skip_any_string(StringToken& token) {
  const char* p = cursor_ + 1;
  token.raw.begin = static_cast<uint32_t>(p - text_);
  uint32_t continuations = 0;
  uint32_t extra =
      0;  // raw bytes that escapes take beyond what they decode to; chars likewise below
  token.decoded_bytes = token.decoded_chars = 0;
  bool ascii = true;  // what was seen last was ASCII: more of it is likely
  while (true) {
    while (ascii && p < end_ && plain_run(p)) p += kRunBytes;
    const Block block(std::min(p, end_));
    const int n = block.special == 0 ? kBlockBytes : std::countr_zero(block.special);
    ascii = block.non_ascii == 0;
    if (!ascii) {
      non_ascii_ = true;
      continuations +=
          static_cast<uint32_t>(std::popcount(block.continuation & ((uint32_t{1} << n) - 1)));
    }
    p += n;
    if (p >= end_) {
      cursor_ = end_;
      fail("a string is not closed");
      return false;
    }
    if (n == kBlockBytes) continue;
    if (*p == '"') break;
    const char* after = *p == '\\' ? skip_escape(p, token) : nullptr;
    if (after == nullptr) {
      cursor_ = p;
      fail(*p == '\\' ? "bad escape in a string" : "control character in a string");
      return false;
    }
    extra += static_cast<uint32_t>(after - p);
    p = after;
  }
  token.raw.end = static_cast<uint32_t>(p - text_);
  const uint32_t plain = token.raw.size() - extra;
  token.escaped = extra != 0;
  token.decoded_bytes += plain;
  token.decoded_chars += plain - continuations;
  cursor_ = p + 1;
  return true;
}

// Validates the escape at `p`, adds what it decodes to, and returns what follows it, or null.
const char* Reader::skip_escape(const char* p, StringToken& token) {
  if (end_ - p < 2) return nullptr;
  if (p[1] != 'u') {
    token.decoded_bytes += 1;
    token.decoded_chars += 1;
    return std::strchr("\"\\/bfnrt", p[1]) != nullptr && p[1] != '\0' ? p + 2 : nullptr;
  }
  if (end_ - p < 6) return nullptr;
  const int unit = hex4(p + 2);
  if (unit < 0) return nullptr;
  // Each half of a pair counts two of its four bytes; only the high one counts as a character.
  const bool surrogate = is_high_surrogate(unit) || is_low_surrogate(unit);
  token.decoded_bytes += unit < 0x80 ? 1 : unit < 0x800 || surrogate ? 2 : 3;
  token.decoded_chars += is_low_surrogate(unit) ? 0 : 1;
  return p + 6;
}

StringToken Reader::read_string() {
  StringToken token;
  if (peek() != Kind::string)
    fail("expected a string");
  else
    skip_string(token);
  return ok() ? token : StringToken{};
}

bool Reader::read_bool() {
  if (peek() != Kind::boolean) fail("expected true or false");
  const bool value = ok() && *cursor_ == 't';
  skip();
  return value;
}

Range Reader::read_number() {
  if (peek() != Kind::number) fail("expected a number");
  return skip();
}

bool Reader::finish() {
  skip_space();
  if (ok() && cursor_ != end_) fail("something follows the end of the value");
  const auto size = static_cast<size_t>(end_ - text_);
  if (ok() && non_ascii_ && !simdjson::validate_utf8(text_, size)) {
    const size_t good = well_formed_prefix({text_, size});
    cursor_ = text_ + good;
    fail("not valid UTF-8");
  }
  return ok();
}

std::string_view Reader::decode(const StringToken& token, std::string& scratch) const {
  if (!token.escaped) return text(token.raw);
  scratch.clear();
  append_unescaped(scratch, text(token.raw));
  return scratch;
}

bool Reader::enter(char open) {
  skip_space();
  if (!ok() || cursor_ >= end_ || *cursor_ != open) {
    fail(open == '{' ? "expected an object" : "expected an array");
    return false;
  }
  if (depth_ == kMaxDepth) {
    fail("nested too deeply");
    return false;
  }
  ++depth_;
  ++cursor_;
  return true;
}

bool Reader::more(char close, int count, const char* reason) {
  skip_space();
  if (cursor_ >= end_) {
    fail("the text ends too early");
    return false;
  }
  if (*cursor_ == close) {
    ++cursor_;
    --depth_;
    return false;
  }
  if (count == 0) return true;
  if (*cursor_ != ',') {
    fail(reason);
    return false;
  }
  ++cursor_;
  return true;
}

Members::Members(Reader& reader) : reader_(reader) {
  reader_.enter('{');
}

Members Members::resume(Reader& reader, size_t offset) {
  reader.cursor_ = reader.text_ + offset;
  reader.depth_ = 1;
  return {reader, 1};
}

// Compact text, as programs write it: a comma, a short plain name, a colon. False without having
// moved: anything else, faults included.
bool Members::next_usual() {
  const char* p = reader_.cursor_;
  if (count_ > 0) {
    if (*p != ',') return false;
    ++p;
    if (*p == ' ') ++p;
  }
  // A name that ends in front of the text's end has all of it inside.
  if (*p != '"' || p >= reader_.end_) return false;
  const char* const name = p + 1;
  const ShortScan scan(name);
  const char* const colon = name + scan.size + 1;
  if (!scan.closed || colon >= reader_.end_ || *colon != ':') return false;
  ++count_;
  key_begin_ = static_cast<uint32_t>(p - reader_.text_);
  key_ = {name, scan.size};
  reader_.cursor_ = colon + 1;
  return true;
}

bool Members::next_slowly() {
  if (!reader_.ok()) return false;
  if (!reader_.more('}', count_, "expected ',' or '}'")) {
    close_ = reader_.position() - 1;
    return false;
  }
  reader_.skip_space();
  if (reader_.cursor_ >= reader_.end_ || *reader_.cursor_ != '"') {
    reader_.fail("expected a member name");
    return false;
  }
  ++count_;
  key_begin_ = reader_.position();
  StringToken token;
  if (!reader_.skip_string(token)) return false;
  key_ = token.escaped ? reader_.decode(token, scratch_) : reader_.text(token);
  reader_.skip_space();
  if (reader_.cursor_ >= reader_.end_ || *reader_.cursor_ != ':') {
    reader_.fail("expected ':'");
    return false;
  }
  ++reader_.cursor_;
  return true;
}

Elements::Elements(Reader& reader) : reader_(reader) {
  reader_.enter('[');
}

bool Elements::next() {
  if (!reader_.ok()) return false;
  if (!reader_.more(']', count_, "expected ',' or ']'")) return false;
  ++count_;
  return true;
}

void append_unescaped(std::string& out, std::string_view raw) {
  const auto put = [&](uint32_t c) {
    if (c < 0x80) {
      out.push_back(static_cast<char>(c));
      return;
    }
    const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr uint8_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
    out.push_back(static_cast<char>(kLead[tail] | c >> (6 * tail)));
    for (int i = tail - 1; i >= 0; --i)
      out.push_back(static_cast<char>(0x80 | (c >> (6 * i) & 63)));
  };
  while (true) {
    const size_t at = raw.find('\\');
    out.append(raw.substr(0, at));
    if (at == std::string_view::npos) return;
    raw.remove_prefix(at);
    if (raw[1] != 'u') {
      constexpr std::string_view kFrom = "bfnrt";
      const size_t i = kFrom.find(raw[1]);
      out.push_back(i == std::string_view::npos ? raw[1] : "\b\f\n\r\t"[i]);
      raw.remove_prefix(2);
      continue;
    }
    const int unit = hex4(raw.data() + 2);
    raw.remove_prefix(6);
    const bool pair = is_high_surrogate(unit) && raw.size() >= 6 && raw[0] == '\\' &&
                      raw[1] == 'u' && is_low_surrogate(hex4(raw.data() + 2));
    if (pair) {
      const int low = hex4(raw.data() + 2);
      put(0x10000u + (static_cast<uint32_t>(unit - 0xd800) << 10) +
          static_cast<uint32_t>(low - 0xdc00));
      raw.remove_prefix(6);
    } else {
      put(is_high_surrogate(unit) || is_low_surrogate(unit) ? 0xfffdu
                                                            : static_cast<uint32_t>(unit));
    }
  }
}

}  // namespace deeppool::json
