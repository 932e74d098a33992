#include "governance/verify/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "governance/verify/limits.h"

namespace deeppool::governance::verify {

std::string_view title(Invariant invariant) {
  switch (invariant) {
    case Invariant::txns_balance:
      return "the entries of every transaction sum to 0";
    case Invariant::books_balance:
      return "all entries sum to 0";
    case Invariant::wallets:
      return "every wallet is the sum of its entries";
    case Invariant::leases:
      return "what is leased is the sum of the leases, and covered";
    case Invariant::usage_posted:
      return "a charge is posted once, by its usage row, to a user";
    case Invariant::payments:
      return "top-ups credit their user, refunds stay within them";
    case Invariant::journal:
      return "what callers saw complete is stored as they saw it";
    case Invariant::accepted:
      return "no usage without a hold before it";
    case Invariant::payables:
      return "no device is owed more than was paid for its work";
    case Invariant::quotas:
      return "quotas, grants and daily sums are the sums of usage";
    case Invariant::stale_leases:
      return "no lease outlives its expiry and grace";
    case Invariant::prices:
      return "the price snapshots give every charge again";
  }
  return "";
}

void Report::broken(Invariant i, std::string offender) {
  Verdict& verdict = at(i);
  ++verdict.broken;
  if (verdict.offenders.size() < kShownOffenders) verdict.offenders.push_back(std::move(offender));
}

bool Report::clean() const {
  return std::ranges::all_of(verdicts_, [](const Verdict& v) { return v.broken == 0; });
}

std::string Report::text() const {
  std::string out;
  for (size_t i = 0; i < kInvariants; ++i) {
    const Verdict& v = verdicts_[i];
    const std::string_view state = v.broken > 0 ? "BROKEN" : v.skipped ? "skipped" : "ok";
    out += fmt::format("{:2} {:8}{:62}{:>12} checked", i + 1, state,
                       title(static_cast<Invariant>(i)), v.checked);
    if (v.broken > 0) out += fmt::format(", {} wrong", v.broken);
    out += '\n';
    for (const std::string& offender : v.offenders) out += "     - " + offender + '\n';
    const auto shown = static_cast<int64_t>(v.offenders.size());
    if (v.broken > shown) out += fmt::format("     - and {} more\n", v.broken - shown);
  }
  return out;
}

}  // namespace deeppool::governance::verify
