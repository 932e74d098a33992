#include "gateway/bill.h"

#include "base/log.h"
#include "governance/pricing/charge.h"

namespace deeppool::gateway {
namespace {

// Counts that no codec lets through cannot be charged exactly; the call costs what was held for it,
// and the log says so.
base::Money uncountable(const Call& call, const Error& error) {
  log::error("a request could not be charged exactly", {{"request_id", call.x.id.to_string()},
                                                        {"model", call.model->name},
                                                        {"detail", error.detail}});
  return governance::bound(call.model->price.tiers, call.bound.prompt, call.bound.output);
}

}  // namespace

governance::Bill bill_for(const Call& call, const llm::Usage& usage) {
  governance::Bill bill;
  bill.price = call.model->price.snapshot;
  bill.discount_ppm = call.hold.discount_ppm();
  bill.grants = call.hold.grants_for(usage.total());
  const governance::Reduction reduction{bill.grants.tokens(), bill.discount_ppm};
  const Result<base::Money> charged = governance::charge(call.model->price.tiers, usage, reduction);
  bill.charged = charged ? *charged : uncountable(call, charged.error());
  return bill;
}

}  // namespace deeppool::gateway
