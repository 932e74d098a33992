// How a handler of /api/v1 is written: as a plain function from a Request to a JSON value, which
// runs on the SQL pool and may block. What needs bcrypt as well is a coroutine that uses run().
//   http::Handler list = blocking(services, [&services](const Request& r) { return ...; });
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "http/server/exchange.h"
#include "http/server/router.h"
#include "webapi/envelope.h"
#include "webapi/services.h"

namespace deeppool::webapi {

using Answer = Result<boost::json::value>;

// What a job needs of an exchange, by value: the job may outlive it.
struct Request {
  http::SessionUser user;
  std::vector<std::string> params;  // of the route's pattern
  std::string target;
  std::string body;
  std::string ip;
  std::string user_agent;

  // A query parameter, decoded; nothing if absent or malformed.
  std::optional<std::string> query(std::string_view name) const;
};
Request request_of(const http::Exchange& x);
// Everything of a request that may become text in SQL; bodies are checked by their parser.
Result<void> check_text(const Request& request);

using Work = std::function<Answer(const Request&)>;
http::Handler blocking(const Services& services, Work work);
// For route tables: makes a handler of a function of (context, request). Services, which outlive
// every handler, come as std::cref; any other context is kept as a copy.
template <class Context>
auto blocking_with(const Services& services, Context context) {
  return [&services, context](auto work) {
    return blocking(services, [context, work](const Request& r) { return work(context, r); });
  };
}
// What such a handler does.
Task<void> run_blocking(http::Exchange& x, const Services& services,
                        std::shared_ptr<const Work> work);

// For what waits for bcrypt between its SQL: a handler of a coroutine of (context, request). As
// above, contexts that outlive every handler come as std::cref.
template <class Context, class Story>
Task<void> tell(http::Exchange& x, const Context& context, Story story) {
  const Request request = request_of(x);
  Answer result = co_await story(context, request);
  co_await answer(x, std::move(result));
}
template <class Context, class Story>
http::Handler telling(Context context, Story story) {
  return [context, story](http::Exchange& x) { return tell(x, context, story); };
}

// The instant by which SQL work must be over, from now on.
base::Deadline sql_deadline();

// The id in a path. Anything that is no positive integer is as missing as an unknown id.
template <class Id>
Result<Id> path_id(const Request& request, size_t index, std::string_view what) {
  const auto value = base::parse_int<int64_t>(request.params[index]);
  if (value && *value > 0) return Id{*value};
  return Error(ErrorCode::not_found, "There is no such " + std::string(what) + ".");
}

// A transaction that other processes must hear of; after it the change is in force here. Such
// changes run one at a time over all processes (config_version is their lock), so that `work` may
// read, decide and write. It may run more than once.
Result<void> commit_change(const Services& services,
                           const std::function<Result<void>(sql::Writer&)>& work);

}  // namespace deeppool::webapi
