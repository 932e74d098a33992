// Wallets and their statements as /api/v1 shows them, to their owners and to administrators.
// Amounts are yuan in decimal text, exact.
#pragma once

#include <boost/json/value.hpp>

#include "governance/ledger/wallet_store.h"
#include "webapi/handler.h"

namespace deeppool::webapi {

boost::json::object wallet_json(const governance::Wallet& wallet);

// A page of `user`'s statement: page, page_size, kind, from and to (days, UTC) of the query.
// Blocking.
Answer statement(const Services& services, const Request& request, base::UserId user);

}  // namespace deeppool::webapi
