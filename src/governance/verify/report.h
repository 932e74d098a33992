// What a check of the books found: for each of the twelve invariants how much was looked at, how
// much was wrong, and the first offenders. Plain; filled by verify().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace deeppool::governance::verify {

// In the order of docs/ledger.md, which explains them.
enum class Invariant : uint8_t {
  txns_balance,   // the entries of a transaction sum to 0
  books_balance,  // so do all entries
  wallets,        // a wallet is the sum of its user's entries
  leases,         // what is leased of a fund is the sum of its leases, and is covered
  usage_posted,   // what a usage row charges is taken from a user, and by nothing else
  payments,       // a top-up credits its user; refunds stay within what was paid
  journal,        // what callers saw complete is stored with the tokens that they saw
  accepted,       // no usage without a hold before it
  payables,       // nobody is owed more for a request than was paid and subsidised
  quotas,         // quotas, grants and daily sums are the sums of usage
  stale_leases,   // no lease outlives its expiry and grace
  prices,         // the price snapshot gives the charge again
};
inline constexpr size_t kInvariants = 12;
std::string_view title(Invariant invariant);

struct Verdict {
  int64_t checked = 0;
  int64_t broken = 0;
  bool skipped = false;
  std::vector<std::string> offenders;  // the first kShownOffenders
};

class Report {
 public:
  void checked(Invariant i, int64_t n = 1) { at(i).checked += n; }
  void broken(Invariant i, std::string offender);
  void skip(Invariant i) { at(i).skipped = true; }

  const Verdict& of(Invariant i) const { return verdicts_[static_cast<size_t>(i)]; }
  bool clean() const;
  // A line for each invariant, and one for each offender that is shown.
  std::string text() const;

 private:
  Verdict& at(Invariant i) { return verdicts_[static_cast<size_t>(i)]; }
  std::array<Verdict, kInvariants> verdicts_;
};

}  // namespace deeppool::governance::verify
