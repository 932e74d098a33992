// Reads YAML into a flat list of entries with their lines. Bounded in size, depth and number; no
// anchors, aliases, tags or second documents, so that a file means what it looks like. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace deeppool::platform {

struct YamlEntry {
  enum class Kind { scalar, null, list, nested_list, section };
  std::string path;  // "server.tls.enabled"
  int line = 0;      // of the key, from 1
  Kind kind = Kind::null;
  std::string text;                // scalar, as written
  std::vector<std::string> items;  // list: scalars only; a list of anything else is nested_list
};

// In the order of the file; a section comes before what lies in it, what lies in a nested_list is
// left out. Errors: invalid_request, "line 3: what is wrong".
Result<std::vector<YamlEntry>> read_yaml(std::string_view text);

}  // namespace deeppool::platform
