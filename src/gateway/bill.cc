#include "gateway/bill.h"

#include "base/log.h"
#include "governance/pricing/charge.h"

namespace deeppool::gateway {
namespace {

// Counts that no codec lets through cannot be charged exactly; the call costs what was held for it,
// and the log says so.
base::Money uncountable(const Call& call, const Error& error) {
  log::error("a request could not be charged exactly", {{"request_id", call.x.id.to_string()},
                                                        {"model", billed_model(call).name},
                                                        {"detail", error.detail}});
  return governance::bound(billed_model(call).price.tiers, call.bound.prompt, call.bound.output);
}

}  // namespace

const provider::Model& billed_model(const Call& call) {
  if (call.served != nullptr) return *call.served;
  return call.plan.candidates.empty() ? *call.model : *call.plan.candidates.front().model;
}

governance::Bill bill_for(const Call& call, const llm::Usage& usage) {
  const governance::Price& price = billed_model(call).price;
  governance::Bill bill;
  bill.price = price.snapshot;
  bill.discount_ppm = call.hold.discount_ppm();
  bill.grants = call.hold.grants_for(usage.total());
  const governance::Reduction reduction{bill.grants.tokens(), bill.discount_ppm};
  const Result<base::Money> charged = governance::charge(price.tiers, usage, reduction);
  bill.charged = charged ? *charged : uncountable(call, charged.error());
  return bill;
}

}  // namespace deeppool::gateway
