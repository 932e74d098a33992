// What has to be said otherwise in a house request before one of the OpenAI-like vendors takes it:
// edits of the caller's bytes. Most requests need none, which the parser's notes tell without a
// look at the body. Pure.
#pragma once

#include <string>
#include <vector>

#include "provider/adapter.h"

namespace deeppool::provider::family {

struct Change {
  std::vector<llm::TextEdit> edits;  // from front to back
  std::string members;               // more of the request, each with its comma before it
  std::vector<std::string> dropped;  // names of the caller's parameters that were left out
};

// Chat completions; for other APIs only our own extensions are taken away.
Change change_for(const Asking& asking);

}  // namespace deeppool::provider::family
