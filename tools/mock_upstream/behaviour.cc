#include "mock_upstream/behaviour.h"

namespace deeppool::mock {

const Behaviour& find_behaviour(std::string_view name) {
  if (name.starts_with("status-")) name = "status";
  for (const auto table : {stream_behaviours(), content_behaviours(), http_behaviours()}) {
    for (const Behaviour& row : table) {
      if (row.name == name) return row;
    }
  }
  return stream_behaviours().front();
}

}  // namespace deeppool::mock
