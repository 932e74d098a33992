#include "governance/verify/verify.h"

#include "governance/verify/passes.h"
#include "sql/transaction.h"

namespace deeppool::governance::verify {

std::string yuan(Int128 units) {
  if (const auto money = base::Money::from_units(units)) return money->to_string();
  return "an amount beyond all bounds";
}

Result<Report> verify(sql::Database& database, const Options& options) {
  DP_TRY(auto reader, database.read());
  DP_TRY(const auto snapshot, sql::Snapshot::begin(reader));
  Report report;
  Balances balances;
  DP_CHECK(check_ledger(reader, report, balances));
  DP_CHECK(check_usage(reader, report, balances));
  DP_CHECK(check_funds(reader, report, balances));
  DP_CHECK(check_rollups(reader, report));
  if (options.journal == nullptr) {
    report.skip(Invariant::journal);
    return report;
  }
  DP_CHECK(check_journal(reader, report, *options.journal));
  return report;
}

}  // namespace deeppool::governance::verify
