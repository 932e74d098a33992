// Models and the endpoints behind them.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "adminapi/routes.h"
#include "provider/model_store.h"
#include "webapi/fields.h"

namespace deeppool::adminapi {

std::vector<http::Route> model_routes(const Admin& admin);

// For other ways to make a model. As administrators see it:
boost::json::object model_json(const provider::models::StoredModel& model);
// `model` with what the body says of all fields but endpoint_ids; finishes the body, whose own
// fields were read before.
Result<provider::models::StoredModel> finish_model(webapi::Fields& body,
                                                   provider::models::StoredModel model);

}  // namespace deeppool::adminapi
