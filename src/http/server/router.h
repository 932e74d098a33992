// Router: every URL of a server as one table of rows. A row cannot be written without saying who
// may use it. Immutable after construction, shared by all loops.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "http/codec/message.h"

namespace deeppool::http {

class Exchange;
using Handler = std::function<async::Task<void>(Exchange&)>;

// Who may call a route. Checked before the body is read, but for api_key: identifying the key is
// the first stage of the gateway's own pipeline.
enum class Access { anyone, api_key, user, admin };

struct Route {
  Method method;
  std::string pattern;  // "/v1/models/{id}": a segment in braces matches one non-empty segment
  Access access;
  size_t body_limit;  // bytes
  Handler handler;
};

class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> params;  // percent-decoded, in the order of the pattern
    std::string allowed;              // methods the path has, when none fits ("GET, POST")
  };
  // `path` as on the wire, without the query. A trailing slash is ignored.
  Match find(Method method, std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Row {
    std::vector<std::string> segments;
    size_t route;
    std::string fixed_path;  // of a pattern without parameters, without slashes at its ends
  };
  std::vector<Route> routes_;
  std::vector<Row> rows_;
};

}  // namespace deeppool::http
