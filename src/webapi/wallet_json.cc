#include "webapi/wallet_json.h"

#include "webapi/paging.h"
#include "webapi/usage_json.h"

namespace deeppool::webapi {
namespace {

namespace wallets = governance::wallets;

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kLastDay = 4'000'000;  // in the year 12921: later than any entry

Result<wallets::Search> search_of(const Request& request, const Paging& paging) {
  wallets::Search wanted{.limit = paging.size, .offset = paging.offset()};
  DP_TRY(const int64_t from, day_of(request, "from", 0));
  DP_TRY(const int64_t to, day_of(request, "to", kLastDay));
  wanted.from_ms = from * kDayMs;
  wanted.to_ms = (to + 1) * kDayMs;
  const auto kind = request.query("kind");
  if (!kind) return wanted;
  wanted.kind = governance::ledger::parse_kind(*kind);
  if (wanted.kind) return wanted;
  return Error::invalid("kind", "`kind` must be use, topup, grant, refund, payout or adjust.");
}

boost::json::object transaction_json(const governance::WalletTransaction& t) {
  return {{"id", t.id},         {"kind", t.kind},     {"amount_yuan", t.amount.to_string()},
          {"reference", t.ref}, {"remark", t.remark}, {"created_at", t.created_at_ms}};
}

}  // namespace

boost::json::object wallet_json(const governance::Wallet& w) {
  return {{"balance_yuan", w.posted.to_string()},
          {"available_yuan", w.available().to_string()},
          {"held_yuan", w.leased.to_string()},
          {"allow_overdraft", w.allow_overdraft},
          {"max_overdraft_yuan", w.max_overdraft.to_string()}};
}

Answer statement(const Services& services, const Request& request, base::UserId user) {
  DP_TRY(const Paging paging, paging_of(request));
  DP_TRY(const wallets::Search wanted, search_of(request, paging));
  DP_TRY(auto reader, services.database.read());
  DP_TRY(const auto found, wallets::transactions(reader, user, wanted));
  boost::json::array items;
  for (const auto& each : found.transactions) items.push_back(transaction_json(each));
  return page_of(paging, std::move(items), found.total);
}

}  // namespace deeppool::webapi
