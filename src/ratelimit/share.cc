#include "ratelimit/share.h"

namespace deeppool::ratelimit {

void Lease::spend(int64_t amount, int64_t second) {
  if (amount == 0) return;
  left -= amount;
  if (!uses.empty() && uses.back().first >= second) {
    uses.back().second += amount;
  } else {
    uses.emplace_back(second, amount);
  }
}

void Lease::settle_into(std::vector<Move>& moves) {
  if (granted == 0) return;
  moves.push_back({Move::Dated::second, end_second, -granted});
  for (const auto& [second, amount] : uses) {
    moves.push_back({Move::Dated::second, second, amount});
  }
  *this = {};
}

}  // namespace deeppool::ratelimit
