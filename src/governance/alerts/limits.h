// Every bound of alerts, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::governance::alerts {

inline constexpr int64_t kMaxRulesPerUser =
    20;  // a few shares of a few keys; each is looked at in every pass
inline constexpr int64_t kMaxSharePercent = 100;
// Crossings that one pass takes up: a commit each; the rest come in the next pass.
inline constexpr int64_t kMaxPerPass = 500;
// Alerts kept of a user, open ones apart: years of them, and one page of a console's search.
inline constexpr int64_t kMaxAlertsKept = 1000;
// How often rules are looked at. An alert may come that late.
inline constexpr std::chrono::seconds kPassInterval{5};
inline constexpr size_t kMaxUrlBytes = 1024;  // the table's column
// Sent at once; others wait their turn in the table.
inline constexpr int64_t kMaxSending = 16;
// Attempts at one alert, 10 s, 20 s, 40 s ... after each other: some 40 minutes in all, longer than
// a restart of the other side takes.
inline constexpr int64_t kMaxAttempts = 9;
inline constexpr std::chrono::milliseconds kFirstRetry{10'000};
// One attempt, name lookup to the answer's head. Whoever takes an alert has it for twice as long.
inline constexpr std::chrono::seconds kAttemptTimeout{10};

}  // namespace deeppool::governance::alerts
