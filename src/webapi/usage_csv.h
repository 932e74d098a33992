// Usage as rows of CSV: the names of the columns, and the cells in the same order. Pure.
#pragma once

#include "webapi/csv.h"
#include "webapi/usage_json.h"

namespace deeppool::webapi {

// The totals end a row; what is before them is the caller's.
void add_totals_names(CsvText& csv);
void add_totals(CsvText& csv, const governance::UsageTotals& totals);
void add_group(CsvText& csv, governance::GroupBy group, const governance::ConsumptionRow& row);

void add_request_names(CsvText& csv, Audience audience);
void add_request(CsvText& csv, const governance::RequestEntry& entry, Audience audience);

}  // namespace deeppool::webapi
