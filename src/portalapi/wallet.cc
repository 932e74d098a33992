#include "portalapi/wallet.h"

#include "governance/grants/grant_store.h"
#include "webapi/envelope.h"
#include "webapi/limits.h"
#include "webapi/wallet_json.h"

namespace deeppool::portalapi {
namespace {

using webapi::Answer;
using webapi::Request;

// What a portal shows at once; more is a heap of grants, of which the first ones are used.
constexpr int64_t kShownGrants = 100;

// What the user may use for free, newest first.
Result<boost::json::array> grants_json(sql::Reader& reader, base::UserId user, int64_t now_ms) {
  DP_TRY(auto found, governance::grants::search(
                         reader, {.user = user, .usable_at_ms = now_ms, .limit = kShownGrants}));
  boost::json::array out;
  for (const governance::TokenGrant& g : found.grants) {
    out.push_back(boost::json::object{{"id", g.id.value},
                                      {"tokens_total", g.tokens_total},
                                      {"tokens_used", g.tokens_used},
                                      {"expires_at", webapi::or_null(g.expires_at_ms)},
                                      {"remark", g.remark}});
  }
  return out;
}

Answer show_wallet(const Portal& p, const Request& request) {
  DP_TRY(auto reader, p.services.database.read());
  DP_TRY(const auto wallet, governance::wallets::get(reader, request.user.id));
  boost::json::object out = webapi::wallet_json(wallet);
  DP_TRY(out["token_grants"], grants_json(reader, request.user.id, webapi::now_ms(p.services)));
  return boost::json::value(std::move(out));
}

Answer list_transactions(const Portal& p, const Request& request) {
  return webapi::statement(p.services, request, request.user.id);
}

}  // namespace

std::vector<http::Route> wallet_routes(const Portal& p) {
  const auto at = webapi::blocking_with(p.services, p);
  using http::Access;
  using http::Method;
  using webapi::kMaxBody;
  return {
      {Method::get, "/api/v1/wallet", Access::user, kMaxBody, at(show_wallet)},
      {Method::get, "/api/v1/wallet/transactions", Access::user, kMaxBody, at(list_transactions)},
  };
}

}  // namespace deeppool::portalapi
