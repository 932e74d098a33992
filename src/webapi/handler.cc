#include "webapi/handler.h"

#include <algorithm>

#include "settings/config_version.h"
#include "sql/transaction.h"
#include "webapi/limits.h"

namespace deeppool::webapi {
namespace {

bool is_text(std::string_view bytes) {
  return base::valid_utf8(bytes) && bytes.find('\0') == std::string_view::npos;
}

}  // namespace

Result<void> check_text(const Request& request) {
  const size_t mark = request.target.find('?');
  const auto query = base::percent_decode(
      mark == std::string::npos ? "" : std::string_view(request.target).substr(mark + 1));
  const bool fine = query && is_text(*query) && std::ranges::all_of(request.params, is_text);
  if (fine) return {};
  return Error(ErrorCode::invalid_request,
               "The URL holds a bad escape, or bytes that are not UTF-8 text.");
}

Task<void> run_blocking(http::Exchange& x, const Services& services,
                        std::shared_ptr<const Work> work) {
  Request request = request_of(x);
  if (auto text = check_text(request); !text) {
    co_await answer_error(x, std::move(text).error());
    co_return;
  }
  auto job = [work, request = std::move(request)] { return (*work)(request); };
  Answer result = co_await services.sql_pool.run(std::move(job), sql_deadline());
  co_await answer(x, std::move(result));
}

std::optional<std::string> Request::query(std::string_view name) const {
  return http::query_parameter(target, name);
}

Request request_of(const http::Exchange& x) {
  const std::string_view agent = x.head.headers.find("user-agent").value_or("");
  return {.user = x.user,
          .params = x.params,
          .target = std::string(x.head.target),
          .body = std::string(x.body.view()),
          .ip = std::string(x.peer_ip),
          .user_agent = std::string(is_text(agent) ? agent : "")};
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
