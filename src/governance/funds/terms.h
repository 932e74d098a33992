// Terms: what administrators have settled for users' money: grants, discounts, overdraft.
// Immutable, built whole by the config refresh and shared by all loops, so that a change is in
// force everywhere within a second. Amounts that move with every request are not here: they are
// leased.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/money.h"
#include "sql/session.h"

namespace deeppool::governance {

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

struct GrantTerms {
  base::GrantId id;
  int64_t expires_at_ms = kNever;
};
struct DiscountTerms {
  int64_t ppm = 0;  // parts per million that are taken off
  int64_t starts_at_ms = 0;
  int64_t ends_at_ms = kNever;
};
struct UserTerms {
  std::vector<GrantTerms> grants;  // not revoked, not spent; expiring first, then by id
  std::vector<DiscountTerms> discounts;
  base::Money overdraft;  // 0: none is allowed
  // Until then nothing of the wallet lies idle in leases; as clocks of instances see it.
  int64_t recalled_until_ms = 0;
};

class Terms {
 public:
  // Of users without terms of their own: an empty one.
  const UserTerms& of(base::UserId user) const;
  // The best one in force, his own or everybody's; 0: none.
  int64_t discount_ppm(const UserTerms& user, int64_t now_ms) const;

  std::unordered_map<base::UserId, UserTerms> users;
  std::vector<DiscountTerms> for_all;
  int64_t version = 0;
};

// Whatever changes grants, discounts, overdrafts or recalls calls it in its transaction: nobody
// reads them all because a model has changed.
Result<void> terms_changed(sql::Writer& tx);
// Blocking.
Result<int64_t> terms_version(sql::Reader& reader);
Result<std::shared_ptr<const Terms>> load_terms(sql::Reader& reader);

}  // namespace deeppool::governance
