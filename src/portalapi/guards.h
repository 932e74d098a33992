// How often the portal's expensive or guessable routes may be used: logins, registrations, key
// changes. One per process, owned by services, safe on every thread.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "ratelimit/attempt_limiter.h"

namespace deeppool::portalapi {

class Guards {
 public:
  explicit Guards(const base::Clock& clock);

  // Before a password is looked at. rate_limited with the time to wait.
  Result<void> login(std::string_view account, std::string_view ip);
  // After the right password.
  void logged_in(std::string_view account, std::string_view ip);
  Result<void> registration(std::string_view ip);
  Result<void> key_change(base::UserId user);

 private:
  ratelimit::AttemptLimiter by_pair_;     // account and address: one person guessing
  ratelimit::AttemptLimiter by_address_;  // one address trying many accounts
  ratelimit::AttemptLimiter by_account_;  // many addresses guessing one account
  ratelimit::AttemptLimiter registrations_;
  ratelimit::AttemptLimiter key_changes_;
};

}  // namespace deeppool::portalapi
