// What must be true of the tables, whatever happened: the twelve invariants of docs/ledger.md, the
// journal of the simulation, and floors. Reads only, through a connection without faults.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/world.h"

namespace deeppool::simulation {

// Each one names a broken statement; empty if all hold.
using Findings = std::vector<std::string>;

// At any moment.
void check_books(World& world, Findings& findings);
// When everything is over: every request has its row, all money has arrived, nothing is leased.
void check_end(World& world, Findings& findings);

// Of all rows of all tables that tell of tokens and money, in the order of their keys.
uint64_t hash_of_rows(World& world);

}  // namespace deeppool::simulation
