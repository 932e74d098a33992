#include "webapi/handler.h"

#include "settings/config_version.h"
#include "sql/transaction.h"
#include "webapi/envelope.h"
#include "webapi/limits.h"

namespace deeppool::webapi {
namespace {

Task<void> run_blocking(http::Exchange& x, const Services& services,
                        std::shared_ptr<const Work> work) {
  auto job = [work, request = request_of(x)] { return (*work)(request); };
  Answer result = co_await services.sql_pool.run(std::move(job), sql_deadline());
  co_await answer(x, std::move(result));
}

}  // namespace

std::optional<std::string> Request::query(std::string_view name) const {
  return http::query_parameter(target, name);
}

Request request_of(const http::Exchange& x) {
  return {.user = x.user,
          .params = x.params,
          .target = std::string(x.head.target),
          .body = std::string(x.body.view()),
          .ip = std::string(x.peer_ip),
          .user_agent = std::string(x.head.headers.find("user-agent").value_or(""))};
}

http::Handler blocking(const Services& services, Work work) {
  auto shared = std::make_shared<const Work>(std::move(work));
  return [&services, shared](http::Exchange& x) { return run_blocking(x, services, shared); };
}

base::Deadline sql_deadline() {
  return {async::Loop::current().now() + kSqlDeadline};
}

Result<void> commit_change(const Services& services,
                           const std::function<Result<void>(sql::Writer&)>& work) {
  DP_CHECK(sql::run_transaction(services.database, [&](sql::Writer& tx) -> Result<void> {
    DP_CHECK(settings::bump_config_version(tx));
    return work(tx);
  }));
  services.config_changed();
  return {};
}

}  // namespace deeppool::webapi
