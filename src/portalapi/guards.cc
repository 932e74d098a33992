#include "portalapi/guards.h"

namespace deeppool::portalapi {
namespace {

using std::chrono::seconds;

// At most 10 a minute and then one in 6 s (OWASP ASVS 5.0, 6.3.1). Whole offices share an address,
// and nobody must be able to lock an account from many addresses cheaply: both have more room.
constexpr ratelimit::AttemptRule kPerPair{.burst = 10, .interval = seconds(6)};
constexpr ratelimit::AttemptRule kPerAddress{.burst = 50, .interval = seconds(2)};
constexpr ratelimit::AttemptRule kPerAccount{.burst = 100, .interval = seconds(6)};
// A registration costs a bcrypt and a row for ever.
constexpr ratelimit::AttemptRule kRegistrations{.burst = 20, .interval = seconds(60)};
// A change makes every process read all keys again.
constexpr ratelimit::AttemptRule kKeyChanges{.burst = 60, .interval = seconds(1)};

std::string pair_of(std::string_view account, std::string_view ip) {
  return std::string(account) + '\n' + std::string(ip);
}

}  // namespace

Guards::Guards(const base::Clock& clock)
    : by_pair_(clock, kPerPair),
      by_address_(clock, kPerAddress),
      by_account_(clock, kPerAccount),
      registrations_(clock, kRegistrations),
      key_changes_(clock, kKeyChanges) {}

Result<void> Guards::login(std::string_view account, std::string_view ip) {
  DP_CHECK(by_pair_.attempt(pair_of(account, ip)));
  DP_CHECK(by_address_.attempt(ip));
  return by_account_.attempt(account);
}

void Guards::logged_in(std::string_view account, std::string_view ip) {
  by_pair_.forgive(pair_of(account, ip));
}

Result<void> Guards::registration(std::string_view ip) {
  return registrations_.attempt(ip);
}

Result<void> Guards::key_change(base::UserId user) {
  return key_changes_.attempt(std::to_string(user.value));
}

}  // namespace deeppool::portalapi
