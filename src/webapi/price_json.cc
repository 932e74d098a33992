#include "webapi/price_json.h"

#include <boost/json/parse.hpp>

namespace deeppool::webapi {

// Nothing in the text is a fraction outside quotes, so no price passes through floating point.
boost::json::array price_tiers_array(const governance::PriceTiers& tiers,
                                     governance::PriceSpelling spelling) {
  return boost::json::parse(governance::price_tiers_json(tiers, spelling)).as_array();
}

boost::json::object price_range_object(const governance::PriceRange& range) {
  boost::json::object fields;
  for (size_t i = 0; i < governance::kTokenClasses; ++i) {
    fields[governance::price_field(static_cast<governance::TokenClass>(i))] =
        boost::json::object{{"min", range.min[i].to_string()}, {"max", range.max[i].to_string()}};
  }
  return fields;
}

}  // namespace deeppool::webapi
