// What a call costs its caller: the one place where tokens become money. Pure, a few
// multiplications, no allocation; on the call's loop.
#pragma once

#include "gateway/call.h"
#include "governance/spool/record.h"

namespace deeppool::gateway {

// Whose price the call is charged by: the model that answers, or is asked first.
const provider::Model& billed_model(const Call& call);

// The bill if the call ended now with this usage; zeros cost nothing. By the price of the catalog
// that the call began with, so a price that changes meanwhile is for later calls.
governance::Bill bill_for(const Call& call, const llm::Usage& usage);

}  // namespace deeppool::gateway
