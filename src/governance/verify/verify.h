// Proves the books: reads everything once and checks the twelve invariants of docs/ledger.md.
// Blocking, for minutes if need be; changes nothing. On a live system it sees one state of the
// database. Memory grows with users, keys and grants, not with requests or entries.
#pragma once

#include <iosfwd>

#include "base/error.h"
#include "governance/verify/report.h"
#include "sql/database.h"

namespace deeppool::governance::verify {

struct Options {
  // What callers saw complete, a line each: request id, prompt tokens, completion tokens, separated
  // by spaces. Null: invariant `journal` is skipped. Not owned.
  std::istream* journal = nullptr;
};

// Errors: the database cannot be read, or the journal has a malformed line (invalid_request). What
// is wrong with the books is in the report.
Result<Report> verify(sql::Database& database, const Options& options = {});

}  // namespace deeppool::governance::verify
