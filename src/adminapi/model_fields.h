// A model as administrators write and see it. Pure.
#pragma once

#include <boost/json/value.hpp>

#include "provider/model_store.h"
#include "webapi/fields.h"
#include "webapi/handler.h"

namespace deeppool::adminapi {

boost::json::object model_json(const provider::models::StoredModel& m);

// `m` with what the body says of all fields but endpoint_ids, which were read before; finishes the
// body.
Result<provider::models::StoredModel> finish_model(webapi::Fields& body,
                                                   provider::models::StoredModel m);

enum class Reading { whole, partial };
// `m` as it was, with what the body says on top. What other models have to say about it is not
// checked here.
Result<provider::models::StoredModel> read_model(const webapi::Request& request,
                                                 provider::models::StoredModel m, Reading reading);

}  // namespace deeppool::adminapi
