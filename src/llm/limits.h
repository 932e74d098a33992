// Bounds of the model vocabulary and its codecs, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeppool::llm {

// OpenAI's own bound for `n` and for the number of choices of one answer.
inline constexpr int64_t kMaxChoices = 128;
// No model writes or reads more; keeps sums of token counts far from overflow.
inline constexpr int64_t kMaxTokens = int64_t{1} << 31;
// The product's contract for `stop` (OpenAI itself allows 4).
inline constexpr int kMaxStopSequences = 8;
// Longer names than this are not in any catalog; bounds what errors and logs repeat.
inline constexpr size_t kMaxModelNameBytes = 256;

// Servers and browsers take no longer URLs.
inline constexpr size_t kMaxUrlBytes = 8192;

// Estimating tokens before a tokenizer has looked: the contract's rule is characters / 4.
inline constexpr int64_t kCharsPerToken = 4;
// What a 1024 x 1024 picture in high detail costs with OpenAI: 85 + 4 tiles of 170.
inline constexpr int64_t kTokensPerImage = 765;
// What media may cost at most, whatever their size: dear pages and pictures compress to nothing.
// As of 2026-11-20. A picture: gpt-4o-mini takes 2,833 and 5,667 for each of up to 8 tiles
// (platform.openai.com/docs/guides/images-vision); Qwen3-VL up to 16,384, all others less.
inline constexpr int64_t kMostTokensPerImage = 48'169;
// A document or film: hundreds of pages of 1,500 to 3,000 and their pictures with Anthropic, hours
// of 300 a second with Gemini; so the longest context that is usual (ai.google.dev, Gemini models).
inline constexpr int64_t kMostTokensPerDocument = 1'048'576;
// Sound: 32 tokens a second with Gemini, 10 with OpenAI, and no codec of theirs takes less than 512
// bytes of base64 for one.
inline constexpr int64_t kAudioBytesPerToken = 16;
// The chat template's own tokens around each message, and the ones that open the answer
// (OpenAI cookbook, "How to count tokens with tiktoken").
inline constexpr int64_t kTokensPerMessage = 4;
inline constexpr int64_t kTokensPerReply = 3;

// Generated text kept uncounted per stream. Most answers fit, and so are never tokenized when the
// upstream reports usage; an idle stream must stay within about 7 KB.
inline constexpr size_t kMaxPendingTallyBytes = 4096;

// A piece of text within which tokens may merge (a word) is cut at this length: bounds the memory
// of merging; such a cut costs at most a token.
inline constexpr size_t kMaxPieceBytes = 16384;

// What is kept of an upstream's error text, for the log.
inline constexpr size_t kMaxErrorTextBytes = 1024;

// The text of a stream that could go on elsewhere is kept up to here: some 50,000 words. A longer
// answer that breaks off ends with an error.
inline constexpr size_t kMaxKeptTextBytes = 256 * 1024;

// What a stream's chunks have in common is kept up to here; id, model and the like take some 250.
inline constexpr size_t kMaxMouldBytes = 1024;

}  // namespace deeppool::llm
