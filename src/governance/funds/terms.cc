#include "governance/funds/terms.h"

#include <algorithm>
#include <optional>

namespace deeppool::governance {
namespace {

int64_t best(const std::vector<DiscountTerms>& discounts, int64_t now_ms) {
  int64_t ppm = 0;
  for (const DiscountTerms& d : discounts) {
    if (d.starts_at_ms <= now_ms && now_ms < d.ends_at_ms) ppm = std::max(ppm, d.ppm);
  }
  return ppm;
}

}  // namespace

const UserTerms& Terms::of(base::UserId user) const {
  static const UserTerms kNone;
  const auto found = users.find(user);
  return found == users.end() ? kNone : found->second;
}

int64_t Terms::discount_ppm(const UserTerms& user, int64_t now_ms) const {
  return std::max(best(user.discounts, now_ms), best(for_all, now_ms));
}

Result<void> terms_changed(sql::Writer& tx) {
  DP_CHECK(tx.execute("UPDATE config_version SET terms_version = terms_version + 1 WHERE id = 1"));
  return {};
}

Result<int64_t> terms_version(sql::Reader& reader) {
  return reader.query_value<int64_t>("SELECT terms_version FROM config_version WHERE id = 1");
}

Result<std::shared_ptr<const Terms>> load_terms(sql::Reader& reader) {
  auto terms = std::make_shared<Terms>();
  // Read before the tables: what changes meanwhile has a higher version.
  DP_TRY(terms->version, terms_version(reader));
  using MaybeTime = std::optional<int64_t>;
  DP_TRY(const auto grants,
         (reader.query<base::UserId, base::GrantId, MaybeTime>(
             "SELECT user_id, id, expires_at FROM token_grants WHERE revoked_at IS NULL"
             " AND tokens_used < tokens_total AND (expires_at IS NULL OR expires_at > {now_ms})")));
  for (const auto& [user, id, expires] : grants) {
    terms->users[user].grants.push_back({id, expires.value_or(kNever)});
  }
  for (auto& [user, own] : terms->users) {
    std::ranges::sort(own.grants, [](const GrantTerms& a, const GrantTerms& b) {
      return std::tie(a.expires_at_ms, a.id) < std::tie(b.expires_at_ms, b.id);
    });
  }
  DP_TRY(const auto discounts,
         (reader.query<std::optional<base::UserId>, int64_t, int64_t, MaybeTime>(
             "SELECT user_id, discount_ppm, starts_at, ends_at FROM discounts"
             " WHERE revoked_at IS NULL AND (ends_at IS NULL OR ends_at > {now_ms})")));
  for (const auto& [user, ppm, starts, ends] : discounts) {
    auto& list = user ? terms->users[*user].discounts : terms->for_all;
    list.push_back({ppm, starts, ends.value_or(kNever)});
  }
  DP_TRY(const auto wallets,
         (reader.query<base::UserId, base::Money, int64_t>(
             "SELECT user_id, CASE WHEN allow_overdraft = 1 THEN max_overdraft ELSE 0 END,"
             " recalled_until FROM user_wallets WHERE allow_overdraft = 1"
             " OR recalled_until > {now_ms}")));
  for (const auto& [user, overdraft, recalled_until] : wallets) {
    UserTerms& own = terms->users[user];
    own.overdraft = overdraft;
    own.recalled_until_ms = recalled_until;
  }
  return std::shared_ptr<const Terms>(std::move(terms));
}

}  // namespace deeppool::governance
