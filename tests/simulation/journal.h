// What the simulator knows to be true: which records of which requests reached a disk, what money
// came in, who was allowed to exceed what. Written when it happens, compared with the tables by
// checks.h. Plain; single thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/money.h"
#include "governance/funds/fund.h"
#include "governance/spool/record.h"
#include "llm/usage.h"

namespace deeppool::simulation {

// A request as its caller is told about it.
struct Told {
  governance::Outcome outcome = governance::Outcome::crash_settled;
  llm::Usage usage;
  governance::Bill bill;
};

struct Entry {
  base::UserId user;
  base::ApiKeyId key;
  int64_t held_tokens = 0;
  base::Money held_money;
  size_t instance = 0;
  std::optional<Told> progress;  // the last one on disk
  std::optional<Told> final;     // on disk
  bool cut_short = false;        // its process died without a final record on disk

  // What its row must say; nothing: there is no row yet.
  std::optional<Told> due() const {
    if (final) return final;
    if (!cut_short) return std::nullopt;
    Told last = progress.value_or(Told());
    last.outcome = governance::Outcome::crash_settled;
    return last;
  }
};

// A movement of money that somebody will repeat until he knows it to be done.
struct MoneyIn {
  base::UserId user;
  base::Money amount;
  bool topup = true;  // else an adjustment
  bool done = false;
};

struct Journal {
  std::map<base::RequestId, Entry> requests;
  std::map<std::string, MoneyIn> money_in;  // by what the ledger's id is about
  // What was taken beyond what was held of a fund, by upstreams that sent more than they were
  // asked for: admission is not to blame for a fund that is short by as much.
  std::map<governance::FundId, int64_t> exceeded;
  // Leases of lost instances were given to others, or a quota was lowered: these funds may be
  // short by any amount.
  std::map<governance::FundId, bool> excused;

  struct {
    int64_t started = 0, refused = 0, crashes = 0, lost_replies = 0, torn = 0, reclaimed = 0;
    int64_t grown = 0, checks = 0;
    std::map<governance::Outcome, int64_t> outcomes;
  } count;
};

}  // namespace deeppool::simulation
