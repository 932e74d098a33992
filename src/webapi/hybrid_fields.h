// What a hybrid model is made of, in bodies of administrators and of users alike. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "routing/policy.h"
#include "webapi/fields.h"

namespace deeppool::webapi {

struct HybridFields {
  std::optional<std::vector<std::string>> children;  // `child_models`
  std::optional<std::string> policy;                 // `routing_policy`, YAML
};
// Their form alone.
HybridFields read_hybrid(Fields& body);
// invalid_request for a number of children that makes no hybrid, or with every fault of the policy
// and its line.
Result<void> check_hybrid(const std::vector<std::string>& children, const std::string& policy);

// [{"line": 3, "message": "..."}]
boost::json::array faults_array(std::span<const routing::Fault> faults);

}  // namespace deeppool::webapi
