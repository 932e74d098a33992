// Reads YAML into a small tree whose every node knows its line. Bounded in size, depth and number
// of nodes; no anchors, aliases, tags or second documents, so that a text means what it looks like.
// The only place of this module that knows the YAML library. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace deeppool::routing {

struct YamlMember;

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  int line = 1;
  std::string text;     // of a scalar
  bool quoted = false;  // a scalar that is text whatever it looks like
  std::vector<YamlNode> items;
  std::vector<YamlMember> members;  // keys are unique
};
struct YamlMember {
  std::string key;
  int line = 1;
  YamlNode value;
};

// Of one line of a text; lines count from 1.
struct Fault {
  int line = 1;
  std::string message;
};

// An empty text is a null node. False: `fault` says why.
bool read_yaml(std::string_view text, YamlNode& root, Fault& fault);

}  // namespace deeppool::routing
