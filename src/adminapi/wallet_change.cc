#include "adminapi/wallet_change.h"

#include "adminapi/limits.h"
#include "async/loop.h"
#include "webapi/envelope.h"

namespace deeppool::adminapi {
namespace {

namespace wallets = governance::wallets;
using base::Money;
using webapi::Answer;
using webapi::Request;
using webapi::Services;

// On the pool; shared with jobs that outlive their request.
class Attempts {
 public:
  Attempts(const Services& services, Request request, WalletChange change)
      : services_(services), request_(std::move(request)), change_(std::move(change)) {}

  Answer make() const {
    boost::json::object answer;
    DP_CHECK(audited_change(services_, request_,
                            [&](sql::Writer& tx) { return change_.work(tx, answer); }));
    return boost::json::value(std::move(answer));
  }
  bool lacks(const Answer& answer) const {
    return !answer && answer.error().code == change_.lacking;
  }
  // False if that would not help.
  Result<bool> recall() const {
    {
      DP_TRY(auto reader, services_.database.read());
      DP_TRY(auto wallet, wallets::get(reader, change_.user));
      const Money leased = std::exchange(wallet.leased, Money());
      if (leased <= Money() || !change_.fits(wallet)) return false;
    }
    DP_CHECK(webapi::commit_change(
        services_, [&](sql::Writer& tx) { return wallets::recall(tx, change_.user); }));
    return true;
  }

 private:
  const Services& services_;
  const Request request_;
  const WalletChange change_;
};

Task<Answer> make(const Services& s, async::CancelScope& scope,
                  std::shared_ptr<const Attempts> attempts) {
  const auto once = [attempts] { return attempts->make(); };
  Answer answer = co_await s.sql_pool.run(once, webapi::sql_deadline());
  if (!attempts->lacks(answer)) co_return answer;
  const Result<bool> recalled =
      co_await s.sql_pool.run([attempts] { return attempts->recall(); }, webapi::sql_deadline());
  if (!recalled.ok() || !*recalled) co_return answer;
  const base::Instant until = async::Loop::current().now() + kRecallWait;
  while (attempts->lacks(answer) && async::Loop::current().now() < until) {
    const bool waited = co_await async::sleep_for(kRecallPoll, scope);
    if (!waited) break;
    answer = co_await s.sql_pool.run(once, webapi::sql_deadline());
  }
  co_return answer;
}

Task<void> run(http::Exchange& x, const Services& s, std::shared_ptr<const ReadWalletChange> read) {
  Request request = webapi::request_of(x);
  if (auto text = webapi::check_text(request); !text) {
    co_await webapi::answer_error(x, std::move(text).error());
    co_return;
  }
  Result<WalletChange> change = (*read)(s, request);
  if (!change) {
    co_await webapi::answer_error(x, std::move(change).error());
    co_return;
  }
  auto attempts = std::make_shared<const Attempts>(s, std::move(request), *std::move(change));
  Answer answer = co_await make(s, x.scope, std::move(attempts));
  co_await webapi::answer(x, std::move(answer));
}

}  // namespace

http::Handler wallet_change(const webapi::Services& services, ReadWalletChange read) {
  auto shared = std::make_shared<const ReadWalletChange>(std::move(read));
  return [&services, shared](http::Exchange& x) { return run(x, services, shared); };
}

}  // namespace deeppool::adminapi
