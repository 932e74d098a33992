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

Ending ending_of(const Call& call) {
  const std::string_view name = call.ask.script.text("end", "");
  return name.empty() ? call.behaviour.style.ending : find_behaviour(name).style.ending;
}

}  // namespace deeppool::mock
