#include "llm/tokenizer/pretokenizer.h"

#include <algorithm>

#include "base/text.h"

namespace deeppool::llm {

namespace {

// What may begin a word (and, in o200k, its lower-case rest): [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] and
// [\p{Ll}\p{Lm}\p{Lo}\p{M}].
constexpr uint8_t kWordHead = kUpper | kOtherLetter | kMark;
constexpr uint8_t kWordTail = kLower | kOtherLetter | kMark;
// [^\s\p{L}\p{N}] is what has none of these.
constexpr uint8_t kNotSymbol = kSpace | kLetter | kNumber;
// [^\r\n\p{L}\p{N}] likewise: the one character that may stand before a word.
constexpr uint8_t kNotPrefix = kNewline | kLetter | kNumber;

struct Decoded {
  uint32_t code_point;
  size_t size;  // 0: not UTF-8
};

// `s` is not empty and starts with a byte >= 0x80. Overlong forms and surrogates are let through:
// they have no class anyway.
Decoded decode(std::string_view s) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
  const uint8_t lead = byte(0);
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  if (size == 0 || s.size() < size || lead >= 0xf5) return {0, 0};
  uint32_t c = lead & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    c = c << 6 | (byte(i) & 0x3f);
  }
  return {c, c < 0x110000 ? size : 0};
}

}  // namespace

inline PreTokenizer::Char PreTokenizer::at(size_t offset) const {
  if (offset >= text_.size()) return {0, 0, 0};
  const char c = text_[offset];
  if (static_cast<uint8_t>(c) < 0x80) return {1, table_.char_class(static_cast<uint8_t>(c)), c};
  const Decoded decoded = decode(text_.substr(offset));
  if (decoded.size == 0) return {1, 0, 0};
  return {decoded.size, table_.char_class(decoded.code_point), 0};
}

inline size_t PreTokenizer::run(size_t offset, uint8_t bits) const {
  while (true) {
    const Char c = at(offset);
    if (c.size == 0 || (c.bits & bits) == 0) return offset;
    offset += c.size;
  }
}

std::string_view PreTokenizer::next() {
  if (position_ >= text_.size()) return {};
  const size_t begin = position_;
  position_ = table_.pattern() == Pattern::o200k ? o200k_end(begin) : cl100k_end(begin);
  return text_.substr(begin, position_ - begin);
}

// '(?i:[sdmt]|ll|ve|re) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3} | ?[^\s\p{L}\p{N}]+[\r\n]* |
// \s+$ | \s*[\r\n] | \s+(?!\S) | \s
size_t PreTokenizer::cl100k_end(size_t begin) const {
  if (const size_t end = contraction_end(begin); end > begin) return end;
  if (const size_t end = word_end(begin); end > begin) return end;
  if (const size_t end = numbers_end(begin); end > begin) return end;
  if (const size_t end = symbols_end(begin); end > begin) return end;
  const size_t end = run(begin, kSpace);
  return end == text_.size() ? end : spaces_end(begin);
}

// prefix?[head]*[tail]+contraction? | prefix?[head]+[tail]*contraction? | \p{N}{1,3} |
//  ?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
size_t PreTokenizer::o200k_end(size_t begin) const {
  if (const size_t end = cased_word_end(begin); end > begin) return end;
  if (const size_t end = numbers_end(begin); end > begin) return end;
  if (const size_t end = symbols_end(begin); end > begin) return end;
  return spaces_end(begin);
}

size_t PreTokenizer::word_end(size_t begin) const {
  const Char first = at(begin);
  const size_t letters = (first.bits & kNotPrefix) == 0 ? begin + first.size : begin;
  const size_t end = run(letters, kLetter);
  return end > letters ? end : begin;
}

// The alternatives in the pattern's order: with a tail before without one, with the prefix before
// without it. A mark can be a prefix or, alone, a tail.
size_t PreTokenizer::cased_word_end(size_t begin) const {
  const Char first = at(begin);
  const bool may_prefix = first.size > 0 && (first.bits & kNotPrefix) == 0;
  const size_t word = may_prefix ? begin + first.size : begin;
  size_t end = mixed_case_end(word);
  if (end == word && may_prefix) {
    const size_t bare = mixed_case_end(begin);
    if (bare > begin) return contraction_end(bare);
  }
  if (end == word) end = run(word, kWordHead);
  return end == word ? begin : contraction_end(end);
}

// [head]*[tail]+ at `begin`, with the pattern's backtracking: the head gives back characters until
// the tail has one. `begin` itself if there is no match.
size_t PreTokenizer::mixed_case_end(size_t begin) const {
  size_t head = begin;
  size_t last_shared_end = begin;  // behind the last character of the head that is also a tail
  while (true) {
    const Char c = at(head);
    if (c.size == 0 || (c.bits & kWordHead) == 0) break;
    head += c.size;
    if ((c.bits & kWordTail) != 0) last_shared_end = head;
  }
  const size_t tail = run(head, kWordTail);
  return tail > head ? tail : last_shared_end;
}

// 's 't 'd 'm 're 've 'll in any case; U+017F is another case of s. `offset` if there is none.
size_t PreTokenizer::contraction_end(size_t offset) const {
  if (at(offset).ascii != '\'') return offset;
  const std::string_view rest = text_.substr(offset + 1, 2);
  if (rest.empty()) return offset;
  if (rest == "\xc5\xbf") return offset + 3;
  const char first = base::lower(rest[0]);
  if (first == 's' || first == 't' || first == 'd' || first == 'm') return offset + 2;
  const char second = rest.size() == 2 ? base::lower(rest[1]) : '\0';
  const bool two =
      (second == 'e' && (first == 'r' || first == 'v')) || (second == 'l' && first == 'l');
  return two ? offset + 3 : offset;
}

size_t PreTokenizer::numbers_end(size_t begin) const {
  size_t end = begin;
  for (int i = 0; i < 3; ++i) {
    const Char c = at(end);
    if (c.size == 0 || (c.bits & kNumber) == 0) break;
    end += c.size;
  }
  return end;
}

size_t PreTokenizer::symbols_end(size_t begin) const {
  const size_t first = at(begin).ascii == ' ' ? begin + 1 : begin;
  size_t end = first;
  while (true) {
    const Char c = at(end);
    if (c.size == 0 || (c.bits & kNotSymbol) != 0) break;
    end += c.size;
  }
  if (end == first) return begin;
  const bool slashes = table_.pattern() == Pattern::o200k;
  while (true) {
    const char c = at(end).ascii;
    if (c != '\r' && c != '\n' && !(slashes && c == '/')) return end;
    ++end;
  }
}

// \s*[\r\n]+ | \s+(?!\S) | \s+
size_t PreTokenizer::spaces_end(size_t begin) const {
  size_t end = begin;
  size_t before_last = begin;
  size_t newline_end = begin;
  while (true) {
    const Char c = at(end);
    if (c.size == 0 || (c.bits & kSpace) == 0) break;
    before_last = end;
    end += c.size;
    if ((c.bits & kNewline) != 0) newline_end = end;
  }
  if (newline_end > begin) return newline_end;
  if (end == text_.size() || before_last == begin) return end;
  return before_last;
}

}  // namespace deeppool::llm
