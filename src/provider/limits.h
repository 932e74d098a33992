// Bounds of endpoints' health, each with its reason.
#pragma once

#include <chrono>
#include <cstdint>

namespace deeppool::provider {

// One failure is an accident, two a coincidence; every further one costs a caller's patience.
inline constexpr int kEjectAfterFailures = 3;
// Beyond consecutive failures: this share of the requests of the last kErrorWindow, once it holds
// kEjectAfterFailures failures. An endpoint that fails half of the time is out after its third
// failure in 98 of 100 cases; one that fails one time in a hundred stays.
inline constexpr double kEjectErrorRate = 0.25;
inline constexpr int kErrorWindowSeconds = 10;  // long enough for a rate, short enough to forgive

// An ejection lasts this long, twice as long if it follows another, up to the cap; each drawn
// within kEjectionJitter around it, so that instances do not come back in step. Cap, jitter, the
// probe job's pace and its deadline together stay below the 30 s within which an endpoint that
// works again is back.
inline constexpr std::chrono::seconds kFirstEjection{1};
inline constexpr std::chrono::seconds kLongestEjection{16};
inline constexpr double kEjectionJitter = 0.25;
// A key that is refused, an account without money: somebody has to do something about it first.
inline constexpr std::chrono::seconds kFirstRefusalEjection{30};
inline constexpr std::chrono::seconds kLongestRefusalEjection{300};
// How long a Retry-After is believed, unless the operator says otherwise. Limits of a day exist; a
// look once a minute offends nobody.
inline constexpr std::chrono::seconds kUsualRetryAfter{60};
inline constexpr std::chrono::seconds kLongestRetryAfter{3600};  // whatever anybody says
// An ejection this soon after the last readmission (and at least the last ejection's length) is
// taken for the same trouble and lasts longer.
inline constexpr std::chrono::seconds kProbation{10};

// Hedges that a model may save up: a burst of slow answers is met, a broken upstream is not
// doubled.
inline constexpr int64_t kHedgeStock = 5;

// How fast a latency that was high is forgotten.
inline constexpr std::chrono::seconds kLatencyMemory{10};

}  // namespace deeppool::provider
