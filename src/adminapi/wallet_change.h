// How a wallet is changed while requests run: if leases of instances are all that is in the way,
// they are recalled, and the change is tried until they are back, kRecallWait at most. Requests
// that run go on. Waits on the loop, works on the SQL pool.
#pragma once

#include <boost/json/object.hpp>
#include <functional>

#include "adminapi/audited_change.h"
#include "governance/ledger/wallet_store.h"
#include "http/server/router.h"

namespace deeppool::adminapi {

// What a request asks for; made any number of times until it passes.
struct WalletChange {
  base::UserId user;
  ErrorCode lacking;                                    // how `work` says that too much is leased
  std::function<bool(const governance::Wallet&)> fits;  // whether it would pass without any lease
  std::function<Result<Change>(sql::Writer&, boost::json::object& answer)> work;
};

// `read` makes the change of a request, without the database.
using ReadWalletChange =
    std::function<Result<WalletChange>(const webapi::Services&, const webapi::Request&)>;
http::Handler wallet_change(const webapi::Services& services, ReadWalletChange read);

}  // namespace deeppool::adminapi
