// JSON string text looked at sixteen or sixty-four bytes at a time: SSE2 where there is one (every
// x86-64), plain bytes elsewhere. Bit i of a mask speaks of byte i.
#pragma once

#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace deeppool::json {

inline constexpr int kBlockBytes = 16;
inline constexpr int kRunBytes = 64;

struct Block {
  uint32_t special;       // quote, backslash or a control character: the scan must stop here
  uint32_t non_ascii;     // >= 0x80
  uint32_t continuation;  // 0x80-0xbf; only set when non_ascii is not empty

#if defined(__SSE2__)
  explicit Block(const char* p) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    special = mask(_mm_or_si128(control, _mm_or_si128(quote, backslash)));
    non_ascii = mask(v);
    // As signed bytes, 0x80-0xbf are exactly those below -64.
    continuation = non_ascii == 0 ? 0 : mask(_mm_cmplt_epi8(v, _mm_set1_epi8(-64)));
  }

 private:
  static uint32_t mask(__m128i v) { return static_cast<uint32_t>(_mm_movemask_epi8(v)); }
#else
  explicit Block(const char* p) : special(0), non_ascii(0), continuation(0) {
    for (int i = 0; i < kBlockBytes; ++i) {
      const auto c = static_cast<uint8_t>(p[i]);
      special |= static_cast<uint32_t>(c < 0x20 || c == '"' || c == '\\') << i;
      non_ascii |= static_cast<uint32_t>(c >= 0x80) << i;
      continuation |= static_cast<uint32_t>((c & 0xc0) == 0x80) << i;
    }
  }
#endif
};

// Whether sixty-four bytes are ASCII at which no scan stops: most of a long text is.
inline bool plain_run(const char* p) {
#if defined(__SSE2__)
  __m128i stops = _mm_setzero_si128();
  for (int i = 0; i < kRunBytes; i += kBlockBytes) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
    // As signed bytes, control characters and everything above ASCII are below 0x20.
    const __m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
    const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    stops = _mm_or_si128(_mm_or_si128(stops, odd), _mm_or_si128(quote, backslash));
  }
  return _mm_movemask_epi8(stops) == 0;
#else
  bool plain = true;
  for (int i = 0; i < kRunBytes; ++i) {
    const auto c = static_cast<uint8_t>(p[i]);
    plain &= c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
  }
  return plain;
#endif
}

}  // namespace deeppool::json
