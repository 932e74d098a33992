#include "webapi/hybrid_fields.h"

#include "routing/limits.h"

namespace deeppool::webapi {

HybridFields read_hybrid(Fields& body) {
  HybridFields out;
  out.children = body.texts("child_models", {.max = routing::kMaxChildren});
  out.policy = body.document("routing_policy", routing::kMaxPolicyBytes);
  return out;
}

Result<void> check_hybrid(const std::vector<std::string>& children, const std::string& policy) {
  if (children.size() < routing::kMinChildren) {
    return Error::invalid("child_models", "`child_models` must name at least " +
                                              std::to_string(routing::kMinChildren) + " models.");
  }
  const routing::ReadPolicy read = routing::read_policy(policy, children);
  if (read.ok()) return {};
  return Error::invalid("routing_policy", "`routing_policy`: " + routing::to_text(read.faults));
}

boost::json::array faults_array(std::span<const routing::Fault> faults) {
  boost::json::array out;
  for (const routing::Fault& fault : faults) {
    out.push_back({{"line", fault.line}, {"message", fault.message}});
  }
  return out;
}

}  // namespace deeppool::webapi
