// Price lists as /api/v1 shows them: prices are decimal text in yuan per million tokens.
#pragma once

#include <boost/json/value.hpp>

#include "governance/pricing/price_tiers.h"

namespace deeppool::webapi {

// [{"max_input_tokens": 0, "input_price": "2", ...}]
boost::json::array price_tiers_array(const governance::PriceTiers& tiers,
                                     governance::PriceSpelling spelling);
// {"input_price": {"min": "1", "max": "4"}, ...}
boost::json::object price_range_object(const governance::PriceRange& range);

}  // namespace deeppool::webapi
