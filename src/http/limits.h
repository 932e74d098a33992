// Bounds of everything that comes over HTTP, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>

namespace deeppool::http {

// Head of a message. Agents send large cookies and trace headers; 32 KiB is four times nginx's
// default.
inline constexpr size_t kMaxHeadBytes = 32 * 1024;
// What one read takes while a head is awaited. A small request comes whole with its head; of a
// large body no more than this is copied to its place, the rest is received there.
inline constexpr size_t kHeadRead = 8 * 1024;
inline constexpr size_t kMaxHeaders = 128;  // the largest real request seen has about 40
inline constexpr size_t kMaxTargetBytes = 8 * 1024;
// A chunk-size line: 16 digits and an extension nobody uses.
inline constexpr size_t kMaxChunkLineBytes = 256;
inline constexpr size_t kMaxTrailerBytes = 8 * 1024;

// One SSE event. Images come base64-coded inside one event; 16 MiB is above any seen.
inline constexpr size_t kMaxEventBytes = 16 * 1024 * 1024;

// A whole head must come within this time of its first byte (slow loris).
inline constexpr std::chrono::seconds kHeadTimeout{20};
// Between two pieces of a request body.
inline constexpr std::chrono::seconds kBodyIdleTimeout{30};
// All of it: 64 MiB at 220 KiB/s. What it has takes room in the loop's budget until it is there.
inline constexpr std::chrono::minutes kBodyTimeout{5};
// What a caller is told whose body finds no room.
inline constexpr std::chrono::seconds kBusyRetryAfter{1};
// An idle kept-alive connection of a caller; above the 60 s of common load balancers.
inline constexpr std::chrono::seconds kKeepAliveTimeout{75};
// A caller that takes nothing for this long is gone.
inline constexpr std::chrono::seconds kWriteTimeout{60};
// After an error answer with body bytes still coming: how much is read and thrown away, so that the
// answer is not lost to a reset. Most clients send the whole of an oversized body before they look.
inline constexpr size_t kLingerBytes = 256 * 1024 * 1024;
inline constexpr std::chrono::seconds kLingerTimeout{10};
inline constexpr std::chrono::seconds kLingerIdleTimeout{2};

// An upstream connection: TCP and TLS together.
inline constexpr std::chrono::seconds kConnectTimeout{10};
// Idle upstream connections are closed before common servers close them (60 s and more).
inline constexpr std::chrono::seconds kUpstreamIdleTimeout{50};
inline constexpr size_t kMaxIdlePerOrigin = 512;    // per loop; covers bursts without hoarding
inline constexpr size_t kMaxPerOrigin = 16 * 1024;  // per loop; open streams, each needs its own
inline constexpr std::chrono::seconds kResolvedFor{
    30};  // a looked-up address is believed this long
inline constexpr size_t kMaxResolved =
    4096;  // per loop; all are forgotten then, callers name hosts

// The access log gathers lines up to a piece or a delay, whichever comes first: one write for about
// 80 requests under load, and a reader of the log sees a lone request at once.
inline constexpr size_t kAccessLogPiece = 32 * 1024;
inline constexpr std::chrono::milliseconds kAccessLogDelay{200};
// Per loop, while the disk or the pipe blocks: some 2,500 requests.
inline constexpr size_t kMaxAccessLogWaiting = 1024 * 1024;
inline constexpr size_t kMaxLoggedPath = 256;  // our longest route has 60
inline constexpr size_t kMaxLogFields = 4096;  // what a handler adds to its line; about 400 in use

// An answered preflight is believed this long by browsers; Chromium allows no more.
inline constexpr std::chrono::seconds kPreflightAge{7200};
inline constexpr size_t kMaxPreflightHeaders = 1024;  // SDKs ask for about 15 names

}  // namespace deeppool::http
