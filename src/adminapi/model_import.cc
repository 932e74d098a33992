#include "adminapi/model_import.h"

#include "adminapi/audited_change.h"
#include "adminapi/limits.h"
#include "adminapi/model_fields.h"
#include "json/reader.h"
#include "provider/endpoint_store.h"
#include "provider/model_store.h"
#include "webapi/fields.h"

namespace deeppool::adminapi {
namespace {

namespace bj = boost::json;
namespace endpoints = provider::endpoints;
namespace models = provider::models;
using endpoints::StoredEndpoint;
using models::StoredModel;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;
using webapi::Services;

// The items of a JSON array as they are written, so that prices keep their digits.
std::vector<std::string> items_of(std::string_view array) {
  const json::PaddedBytes padded(array);
  json::Reader reader(padded.view());
  std::vector<std::string> items;
  for (json::Elements elements(reader); elements.next();) {
    items.emplace_back(reader.text(reader.skip()));
  }
  return items;
}

struct Wanted {
  std::string upstream_model;
  StoredModel model;
};

Result<Wanted> read_item(std::string_view text) {
  Fields item(text);
  Wanted wanted;
  wanted.upstream_model =
      item.required_text("upstream_model", {.min = 1, .max = kMaxUpstreamModelBytes});
  wanted.model.model_name = wanted.upstream_model;
  const bool free = item.flag("free").value_or(false);
  if (free == item.given("pricing_tiers")) {
    item.fail(Error::invalid("pricing_tiers",
                             "Give `pricing_tiers`, or `free`: true for a model that costs "
                             "nothing; one of the two."));
  }
  if (free) wanted.model.pricing_tiers = "[]";
  DP_TRY(wanted.model, finish_model(item, std::move(wanted.model)));
  if (wanted.model.pricing_tiers == "null") {
    return Error::invalid("pricing_tiers", "`pricing_tiers` must be a price list.");
  }
  return wanted;
}

Result<std::vector<Wanted>> read_wanted(const Request& request) {
  Fields body(request.body);
  const std::string list = body.raw("models").value_or("");
  DP_CHECK(body.finish());
  std::vector<Wanted> all;
  for (const std::string& text : items_of(list)) {
    const std::string where = "models[" + std::to_string(all.size()) + "]";
    auto wanted = read_item(text);
    if (!wanted) {
      Error error = std::move(wanted).error();
      error.param = error.param.empty() ? where : where + "." + error.param;
      return error;
    }
    all.push_back(*std::move(wanted));
    if (all.size() > kMaxImportedModels) {
      return Error::invalid("models", "At most 100 models can be imported at once.");
    }
  }
  if (all.empty()) return Error::invalid("models", "`models` must be a list of models.");
  return all;
}

// Names of endpoints are unique, and have room for less than those of models.
std::string endpoint_name(const StoredEndpoint& like, const std::string& model) {
  const std::string name = like.name + "/" + model;
  return name.size() <= kMaxNameBytes ? name : name.substr(name.size() - kMaxNameBytes);
}

// The endpoint itself, if that is the model it asks for; else one like it.
Result<base::EndpointId> endpoint_for(const Services& s, sql::Writer& tx,
                                      const StoredEndpoint& like, const Wanted& wanted) {
  if (like.upstream_model == wanted.upstream_model) return like.id;
  StoredEndpoint endpoint = like;
  endpoint.name = endpoint_name(like, wanted.upstream_model);
  endpoint.upstream_model = wanted.upstream_model;
  DP_TRY(const std::string key, endpoints::reveal_key(s.sealer, like));
  DP_TRY(const auto id, endpoints::create(tx, endpoint, webapi::now_ms(s)));
  DP_CHECK(endpoints::set_key(tx, s.sealer, id, key));
  return id;
}

}  // namespace

Answer import_models(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::EndpointId>(request, 0, "endpoint"));
  bj::array created;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    created.clear();
    DP_TRY(const StoredEndpoint like, endpoints::get(tx, id));
    DP_TRY(std::vector<Wanted> all, read_wanted(request));
    bj::array names;
    for (Wanted& wanted : all) {
      DP_TRY(const auto endpoint, endpoint_for(s, tx, like, wanted));
      wanted.model.endpoint_ids = {endpoint};
      DP_TRY(const auto model_id, models::create(tx, wanted.model, webapi::now_ms(s)));
      DP_TRY(const StoredModel fresh, models::get(tx, model_id));
      created.push_back(model_json(fresh));
      names.push_back(bj::value(fresh.model_name));
    }
    return Change{
        "endpoint.import", "endpoint", std::to_string(id.value), {{"models", std::move(names)}}};
  }));
  return bj::value(bj::object{{"items", std::move(created)}});
}

}  // namespace deeppool::adminapi
