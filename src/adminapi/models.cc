#include "adminapi/models.h"

#include "adminapi/audited_change.h"
#include "adminapi/model_fields.h"
#include "provider/model_store.h"
#include "webapi/fields.h"
#include "webapi/limits.h"
#include "webapi/paging.h"

namespace deeppool::adminapi {
namespace {

namespace models = provider::models;
using http::Access;
using http::Method;
using models::StoredModel;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;
using webapi::Services;

Answer list_models(const Services& s, const Request& request) {
  DP_TRY(const webapi::SearchPaging paging, webapi::search_paging_of(request));
  DP_TRY(const auto enabled, webapi::flag_of(request, "enabled"));
  models::Search wanted{.keyword = paging.keyword,
                        .which = models::Which::all,
                        .limit = paging.size,
                        .offset = paging.offset()};
  if (enabled) wanted.which = *enabled ? models::Which::enabled : models::Which::disabled;
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const auto found, models::search(reader, wanted));
  boost::json::array items;
  for (const StoredModel& m : found.models) items.push_back(model_json(m));
  return webapi::page_of(paging, std::move(items), found.total);
}

Answer show_model(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::ModelId>(request, 0, "model"));
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const StoredModel m, models::get(reader, id));
  return boost::json::value(model_json(m));
}

// What only the other models can tell.
Result<void> check_relations(sql::Reader& reader, const StoredModel* before,
                             const StoredModel& after) {
  DP_CHECK(models::check_children(reader, after.child_models));
  const bool leaves = before != nullptr && (before->model_name != after.model_name ||
                                            before->vendor_type != after.vendor_type);
  return leaves ? models::check_childless(reader, before->model_name) : Result<void>();
}

Answer create_model(const Services& s, const Request& request) {
  DP_TRY(const StoredModel wanted, read_model(request, {}, Reading::whole));
  boost::json::object created;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_CHECK(check_relations(tx, nullptr, wanted));
    DP_TRY(const auto id, models::create(tx, wanted, webapi::now_ms(s)));
    DP_TRY(const StoredModel fresh, models::get(tx, id));
    created = model_json(fresh);
    return Change{"model.create", "model", std::to_string(id.value), difference({}, created)};
  }));
  return boost::json::value(std::move(created));
}

using Edit = std::function<Result<StoredModel>(const StoredModel&)>;

Answer change_model(const Services& s, const Request& request, const Edit& edit) {
  DP_TRY(const auto id, webapi::path_id<base::ModelId>(request, 0, "model"));
  boost::json::object updated;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const StoredModel before, models::get(tx, id));
    DP_TRY(StoredModel after, edit(before));
    after.id = id;
    DP_CHECK(check_relations(tx, &before, after));
    DP_CHECK(models::update(tx, after, webapi::now_ms(s)));
    DP_TRY(const StoredModel fresh, models::get(tx, id));
    updated = model_json(fresh);
    return Change{"model.update", "model", std::to_string(id.value),
                  difference(model_json(before), updated)};
  }));
  return boost::json::value(std::move(updated));
}

Answer replace_model(const Services& s, const Request& request) {
  return change_model(s, request,
                      [&](const StoredModel&) { return read_model(request, {}, Reading::whole); });
}

Answer patch_model(const Services& s, const Request& request) {
  return change_model(s, request, [&](const StoredModel& before) {
    return read_model(request, before, Reading::partial);
  });
}

Answer enable_model(const Services& s, const Request& request) {
  Fields body(request.body);
  const auto enabled = body.flag("enabled");
  body.required("enabled");
  DP_CHECK(body.finish());
  return change_model(s, request, [&](const StoredModel& before) -> Result<StoredModel> {
    StoredModel after = before;
    after.enabled = *enabled;
    return after;
  });
}

Answer delete_model(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::ModelId>(request, 0, "model"));
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const StoredModel before, models::get(tx, id));
    DP_CHECK(models::check_childless(tx, before.model_name));
    DP_CHECK(models::remove(tx, id));
    return Change{
        "model.delete", "model", std::to_string(id.value), {{"model_name", before.model_name}}};
  }));
  return boost::json::value();
}

}  // namespace

std::vector<http::Route> model_routes(const Admin& admin) {
  const Services& s = admin.services;
  const auto at = webapi::blocking_with(s, std::cref(s));
  using webapi::kMaxBody;
  const std::string all = "/api/v1/admin/models";
  return {
      {Method::get, all, Access::admin, kMaxBody, at(list_models)},
      {Method::post, all, Access::admin, kMaxBody, at(create_model)},
      {Method::get, all + "/{id}", Access::admin, kMaxBody, at(show_model)},
      {Method::put, all + "/{id}", Access::admin, kMaxBody, at(replace_model)},
      {Method::patch, all + "/{id}", Access::admin, kMaxBody, at(patch_model)},
      {Method::del, all + "/{id}", Access::admin, kMaxBody, at(delete_model)},
      {Method::post, all + "/{id}/enabled", Access::admin, kMaxBody, at(enable_model)},
      {Method::patch, all + "/{id}/enabled", Access::admin, kMaxBody, at(enable_model)},
  };
}

}  // namespace deeppool::adminapi
