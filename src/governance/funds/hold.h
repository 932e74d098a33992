// Hold: what one request may spend of its key's quota, of free grants and of the wallet, set aside
// in memory inside this instance's leases. Settle it with what was spent; dropped without that, it
// spent nothing. Outlived by its book; used by one thread at a time; no allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "governance/funds/fund.h"
#include "governance/grant_parts.h"

namespace deeppool::governance {

class Account;
class FundBook;

struct HoldState {
  base::ApiKeyId key;
  int64_t tokens = 0;               // what it covers
  std::optional<int64_t> of_quota;  // tokens; nothing: the key has no quota
  GrantParts grants;
  base::Money money;
  bool priced = false;  // grants and discount are settled, the wallet is involved
  int64_t discount_ppm = 0;
};

class [[nodiscard]] Hold {
 public:
  Hold() = default;
  Hold(Hold&& other) noexcept
      : book_(std::exchange(other.book_, nullptr)),
        account_(other.account_),
        state_(other.state_) {}
  Hold& operator=(Hold&& other) noexcept;
  ~Hold() { settle(0, {}); }

  // Whether anything is set aside at all: not for keys without quota on free models.
  bool limited() const { return book_ != nullptr; }
  int64_t tokens() const { return state_.tokens; }
  std::optional<int64_t> quota_tokens() const { return state_.of_quota; }
  base::Money money() const { return state_.money; }
  // Of the price, fixed when the request was admitted.
  int64_t discount_ppm() const { return state_.discount_ppm; }
  // The grants that pay for a request of this many tokens.
  GrantParts grants_for(int64_t tokens) const;

  // What was used, also if that is more than was held: `tokens` in all, of which grants pay
  // grants_for(tokens), and `charge` from the wallet. Once; later calls do nothing.
  void settle(int64_t tokens, base::Money charge);

 private:
  friend class FundBook;
  FundBook* book_ = nullptr;
  Account* account_ = nullptr;
  HoldState state_;
};

}  // namespace deeppool::governance
