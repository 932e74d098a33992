// Bounds of the gateway, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::gateway {

inline constexpr const char* kJsonContentType = "application/json";
inline constexpr const char* kStreamContentType = "text/event-stream; charset=utf-8";
// A whole (not streamed) answer. Embedding batches reach tens of megabytes.
inline constexpr size_t kMaxAnswerBytes = 64 * 1024 * 1024;
// An upstream's error answer; its beginning is enough to understand it.
inline constexpr size_t kMaxErrorBytes = 64 * 1024;
// A whole answer may take as long as the SDKs wait by default.
inline constexpr std::chrono::seconds kWholeAnswerTimeout{600};
// Between two pieces of such an answer, once it has begun: no server computes there.
inline constexpr std::chrono::seconds kAnswerStallTimeout{30};
// A stream that is silent this long gets a comment, so that no proxy in between gives up (nginx: 60
// s).
inline constexpr std::chrono::seconds kHeartbeatInterval{15};
// After [DONE], for the end of the chunked body to arrive, so that the connection can be reused.
inline constexpr std::chrono::seconds kTailTimeout{1};
// How much a crash may lose of a running stream (reference: a progress record every 2 s).
inline constexpr std::chrono::seconds kProgressInterval{2};
// What an answer without max_tokens is assumed to need when it is admitted; corrected at its end.
inline constexpr int64_t kAssumedOutputTokens = 512;
// What an answer that is not streamed, without max_tokens, by a model without a stated maximum, is
// bounded to when somebody pays for it: the longest that most models of the time give by default.
inline constexpr int64_t kInjectedOutputTokens = 4096;
// A hold grows when a stream comes this near to its end: more than one piece of an ordinary stream
// brings, so that what is relayed is always covered.
inline constexpr int64_t kGrowAheadTokens = 64;
// The last of a fund is taken in steps down to this.
inline constexpr int64_t kSmallestGrowthTokens = 16;
// Up to this size a prompt is counted before it is refused for lack of funds: 3 ms of the loop.
inline constexpr size_t kCountedBodyBytes = 64 * 1024;
// Of the text of a count_tokens request this much is counted; the rest is taken to be alike.
inline constexpr int64_t kCountedTextBytes = 128 * 1024;
// A request body larger than this is given back while its answer streams; if the upstream then
// reports no usage, the prompt is estimated by its length.
inline constexpr size_t kKeptBodyBytes = 64 * 1024;
// An upstream's token counts are called odd beyond this factor of our own tally and these tokens on
// top: tokenizers differ by half, our tally of the last kilobytes is a quarter of their bytes, and
// of a short answer nothing can be said.
inline constexpr int64_t kTallyFactor = 3;
inline constexpr int64_t kTallySlackTokens = 100;
// What an upstream may add to a prompt of its own accord (templates, system prompts, tools).
inline constexpr int64_t kHiddenPromptTokens = 4096;
// Times that one stream goes on elsewhere; each costs its caller a pause.
inline constexpr size_t kMaxSeams = 3;
// Endpoints tried for one request, so that a dead fleet costs bounded time.
inline constexpr int kMaxAttempts = 4;

// Of the names in X-DeepPool-Dropped-Params, which a request may invent: a header of 1 KB, where
// clients take 8 KB for all of them.
inline constexpr size_t kMaxDroppedNames = 16;
inline constexpr size_t kMaxDroppedNameBytes = 64;

// URLs of one request that are fetched for its provider, and how many of them at once: a picture
// each, as chats have them; more would make us somebody's crawler.
inline constexpr size_t kMaxRemoteMedia = 16;
inline constexpr size_t kMediaFetchesAtOnce = 4;
// All of them together; what is slower is not worth an answer's wait.
inline constexpr std::chrono::seconds kMediaTimeout{10};
inline constexpr int kMaxMediaRedirects = 3;
// Of one; Gemini takes requests of up to 20 MB.
inline constexpr size_t kMaxMediaBytes = 20 * 1024 * 1024;
// A body with everything inside.
inline constexpr size_t kMaxInlinedBodyBytes = 32 * 1024 * 1024;
// No further candidate is asked this long after the first one was: streams, whose callers wait for
// a first token; whole answers, half of what SDKs wait by default.
inline constexpr std::chrono::seconds kStreamFailoverTime{30};
inline constexpr std::chrono::seconds kWholeFailoverTime{300};
// Second asks (retries, hedges) of the whole process: when everything fails, upstreams get a fifth
// more than they would get anyway, not four times as much. The stock is for one endpoint's death
// under load.
inline constexpr int64_t kRetryPercent = 20;
inline constexpr int64_t kRetryStock = 500;
// Of one call, for the access log.
inline constexpr size_t kMaxAttemptNotes = 16;
// When every endpoint has as many requests as it takes: one of them ends soon.
inline constexpr std::chrono::seconds kBusyRetryAfter{1};
// OpenAI's SDK for Node, the AI SDK and LangChain take no hint of 60 s or more: they would come
// back at once (reference/clients-and-providers.md, 1.6).
inline constexpr std::chrono::milliseconds kLongestHint{59'000};

}  // namespace deeppool::gateway
