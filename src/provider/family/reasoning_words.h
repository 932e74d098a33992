// reasoning_effort and enable_thinking in an OpenAI-like vendor's own members, by the row of
// reasoning_table for its model. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provider/reasoning_table.h"

namespace deeppool::provider::family {

// What the caller said.
struct AskedReasoning {
  std::string effort;           // reasoning_effort; empty: nothing
  std::optional<bool> enabled;  // enable_thinking, which counts where there is no effort
  bool in_own_words = false;    // in the vendor's own members, which then stand alone
};

// Appends to `members`, each with its comma before it; names what cannot be said in `dropped`.
void add_reasoning(const ReasoningRow& row, const AskedReasoning& asked, std::string& members,
                   std::vector<std::string>& dropped);

}  // namespace deeppool::provider::family
