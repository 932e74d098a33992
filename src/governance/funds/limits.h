// Bounds of funds and leases, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::governance {

// How long "nothing is left" is believed without asking the store again: a spent user who goes on
// asking costs at most five transactions a second, and a top-up is in force well within one.
inline constexpr std::chrono::milliseconds kRefusalMemory{200};
// How often leases are looked after, and for how long one lies idle before it goes back: others may
// need it, and a steady caller shall not lease anew for each request.
inline constexpr std::chrono::milliseconds kUpkeepInterval{250};
inline constexpr std::chrono::milliseconds kIdleBeforeReturn{1000};
// Longer than its statements may take at all: turns must not pile up behind a slow one.
inline constexpr std::chrono::seconds kUpkeepDeadline{60};
// One transaction of give-backs; short enough for SQLite's only writer.
inline constexpr size_t kReturnBatch = 256;
// A lease unrenewed for this long counts for nothing here, and may be reclaimed after the grace. It
// outlasts a database that is away for a minute or two.
inline constexpr std::chrono::milliseconds kLeaseLife = std::chrono::minutes(5);
inline constexpr std::chrono::milliseconds kRenewInterval = std::chrono::seconds(30);
// Rows of funds that are leased no more; their sequence may still be asked for after an outage.
inline constexpr std::chrono::milliseconds kEmptyRowLife = std::chrono::hours(24);
// For transactions under way and clocks that run at different speeds.
inline constexpr std::chrono::milliseconds kReclaimGrace = std::chrono::minutes(1);
// A request takes what it needs of a fund that is small against it, else an eighth of what is
// available, so that a few instances and administrators share it, and it is rarely asked for.
inline constexpr int64_t kSmallFundRequests = 20;
inline constexpr int64_t kLeaseShare = 8;
// How long a recall of a wallet's leases lasts: every instance hears of it within a second, and who
// recalled it is done after a few. Until then each hold costs a transaction.
inline constexpr std::chrono::milliseconds kRecallLife{5000};
// Grants that one refill asks for; whoever has more, used up or leased elsewhere, is asked again.
inline constexpr size_t kGrantsPerRefill = 64;
// For so long the terms name grants that are spent: they are read anew for all users at once.
inline constexpr std::chrono::milliseconds kSpentGrantLife = std::chrono::minutes(1);
// Refills that one request waits for. Each brings what it asked for or a refusal; more than a few
// mean that rivals take everything at once.
inline constexpr int kMaxRefills = 8;
inline constexpr std::chrono::milliseconds kRefillWait = std::chrono::seconds(3);
// Refills wait for nothing but SQL; a queue this long is some seconds of it.
inline constexpr size_t kRefillThreads = 4;
inline constexpr size_t kRefillQueue = 4096;

}  // namespace deeppool::governance
