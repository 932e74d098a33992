// Bounds of routing, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::routing {

// A policy with kMaxRules rules of long names has some 40 KiB; request bodies of /api/v1 have 64.
inline constexpr size_t kMaxPolicyBytes = 48 * 1024;
// A policy nests three deep (rules, rule, condition); the rest is for a good error message.
inline constexpr size_t kMaxPolicyDepth = 8;
// Four times what kMaxRules rules with every condition and two targets need.
inline constexpr size_t kMaxPolicyNodes = 16 * 1024;
// Matching looks at every rule: 200 take a microsecond.
inline constexpr size_t kMaxRules = 200;
inline constexpr size_t kMaxRuleNameBytes = 64;
// A hybrid with more children is a catalog, not a choice. Each may be tried in turn.
inline constexpr size_t kMinChildren = 2;
inline constexpr size_t kMaxChildren = 32;
// Faults that are listed; who has more mends these first.
inline constexpr size_t kMaxFaults = 50;
inline constexpr int64_t kMaxWeight = 1000;  // finer shares do not show in traffic
// Largest count that a condition may name: a thousand times the longest context known.
inline constexpr int64_t kMaxCount = 1'000'000'000;
// Requests at once of one child on contributors' devices, where a policy says 0.
inline constexpr int64_t kDefaultInflightPerDeepnodeChild = 64;

// How many bytes of the prompt decide where its cache may be. Providers cache prompts from 1,024
// tokens (4 KB) up: any prompt worth a cache has had this head since its first turn.
inline constexpr size_t kAffinityHeadBytes = 1024;
// Endpoints of one child that are tried before the next child's: a child's second endpoint serves
// what the policy chose, its third would only use up the attempts.
inline constexpr size_t kEndpointsBeforeNextChild = 2;
// What an answer is taken to have when the cheapest child is sought and the caller set no bound.
inline constexpr int64_t kAssumedOutputTokens = 512;

}  // namespace deeppool::routing
