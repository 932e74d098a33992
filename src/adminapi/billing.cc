#include "adminapi/billing.h"

#include <algorithm>

#include "adminapi/limits.h"
#include "adminapi/wallet_change.h"
#include "governance/ledger/wallet_store.h"
#include "identity/user_store.h"
#include "webapi/fields.h"
#include "webapi/limits.h"
#include "webapi/wallet_json.h"

namespace deeppool::adminapi {
namespace {

namespace ledger = governance::ledger;
namespace wallets = governance::wallets;
using base::Money;
using governance::Wallet;
using http::Access;
using http::Method;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;
using webapi::Services;

Answer show_billing(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::UserId>(request, 0, "user"));
  DP_TRY(auto reader, s.database.read());
  DP_CHECK(identity::users::get(reader, id));
  DP_TRY(const auto wallet, wallets::get(reader, id));
  return boost::json::value(webapi::wallet_json(wallet));
}

Result<WalletChange> update_billing(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::UserId>(request, 0, "user"));
  Fields body(request.body);
  const auto allowed = body.flag("allow_overdraft");
  const auto most = body.money("max_overdraft_yuan", {Money(), kMaxMovement});
  DP_CHECK(body.finish());
  const auto fits = [allowed, most](Wallet wallet) {
    wallet.allow_overdraft = allowed.value_or(wallet.allow_overdraft);
    wallet.max_overdraft = most.value_or(wallet.max_overdraft);
    return wallet.available() >= Money();
  };
  const auto work = [&s, id, allowed, most](sql::Writer& tx,
                                            boost::json::object& updated) -> Result<Change> {
    DP_CHECK(identity::users::get(tx, id));
    DP_TRY(const auto before, wallets::get(tx, id));
    DP_CHECK(wallets::set_overdraft(
        tx, id, {allowed.value_or(before.allow_overdraft), most.value_or(before.max_overdraft)},
        webapi::now_ms(s)));
    DP_TRY(const auto after, wallets::get(tx, id));
    updated = webapi::wallet_json(after);
    return Change{"user.billing", "user", std::to_string(id.value),
                  difference(webapi::wallet_json(before), updated)};
  };
  return WalletChange{id, ErrorCode::conflict, fits, work};
}

struct Adjustment {
  Money amount;
  std::string reason;
  std::string reference;
};

bool is_reference(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (base::lower(c) >= 'a' && base::lower(c) <= 'z') || c == '.' ||
           c == '_' || c == '-';
  });
}

Result<Adjustment> read_adjustment(const Request& request) {
  Fields body(request.body);
  Adjustment out;
  const auto amount = body.money("amount_yuan", {-kMaxMovement, kMaxMovement});
  out.amount = amount.value_or(Money());
  if (!body.given("amount_yuan") || amount == Money()) {
    body.fail(Error::invalid("amount_yuan",
                             "`amount_yuan` is required and not 0; below 0 it is taken out."));
  }
  out.reason = body.required_text("reason", {.min = 1, .max = kMaxRemarkBytes});
  out.reference = body.required_text("reference", {.min = 1, .max = kMaxReferenceBytes});
  if (!is_reference(out.reference)) {
    body.fail(Error::invalid("reference", "`reference` may have letters, digits, '.', '_', '-'."));
  }
  DP_CHECK(body.finish());
  return out;
}

// The same request again, with the same reference, moves nothing a second time.
Result<WalletChange> adjust(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::UserId>(request, 0, "user"));
  DP_TRY(const Adjustment a, read_adjustment(request));
  const auto fits = [a](const Wallet& wallet) { return wallet.available() >= -a.amount; };
  const auto work = [&s, id, a, actor = request.user.id](
                        sql::Writer& tx, boost::json::object& answer) -> Result<Change> {
    DP_CHECK(identity::users::get(tx, id));
    DP_TRY(const ledger::Posted posted, ledger::post(tx, {.about = a.reference,
                                                          .user = id,
                                                          .amount = a.amount,
                                                          .other = ledger::kAdjustment,
                                                          .ref = a.reference,
                                                          .remark = a.reason,
                                                          .actor = actor,
                                                          .at_ms = webapi::now_ms(s)}));
    DP_TRY(const auto wallet, wallets::get(tx, id));
    const bool repeated = posted == ledger::Posted::before;
    answer = webapi::wallet_json(wallet);
    answer["transaction_id"] = "adjust:" + a.reference;
    answer["repeated"] = repeated;
    return Change{"wallet.adjust",
                  "user",
                  std::to_string(id.value),
                  {{"amount_yuan", a.amount.to_string()},
                   {"reason", a.reason},
                   {"reference", a.reference},
                   {"repeated", repeated}}};
  };
  return WalletChange{id, ErrorCode::insufficient_quota, fits, work};
}

Answer list_transactions(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::UserId>(request, 0, "user"));
  {
    DP_TRY(auto reader, s.database.read());
    DP_CHECK(identity::users::get(reader, id));
  }
  return webapi::statement(s, request, id);
}

}  // namespace

std::vector<http::Route> billing_routes(const Admin& admin) {
  const Services& s = admin.services;
  const auto at = webapi::blocking_with(s, std::cref(s));
  using webapi::kMaxBody;
  const std::string user = "/api/v1/admin/users/{id}";
  return {
      {Method::get, user + "/billing", Access::admin, kMaxBody, at(show_billing)},
      {Method::put, user + "/billing", Access::admin, kMaxBody, wallet_change(s, update_billing)},
      {Method::post, user + "/wallet/adjustments", Access::admin, kMaxBody,
       wallet_change(s, adjust)},
      {Method::get, user + "/wallet/transactions", Access::admin, kMaxBody, at(list_transactions)},
  };
}

}  // namespace deeppool::adminapi
