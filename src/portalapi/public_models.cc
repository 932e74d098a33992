#include "portalapi/public_models.h"

#include <algorithm>

#include "webapi/envelope.h"
#include "webapi/handler.h"
#include "webapi/limits.h"
#include "webapi/paging.h"
#include "webapi/price_json.h"

namespace deeppool::portalapi {
namespace {

using webapi::Answer;
using webapi::Request;

// Of a hybrid: those of its children, one of which will be charged for.
std::vector<const governance::PriceTiers*> price_lists(const provider::Model& m) {
  if (!m.hybrid()) return {&m.price.tiers};
  std::vector<const governance::PriceTiers*> lists;
  for (const provider::Child& child : m.children) {
    if (child.model && child.model->price.known()) lists.push_back(&child.model->price.tiers);
  }
  return lists;
}

bool free(const provider::Model& m) {
  if (!m.hybrid()) return m.price.free();
  return std::ranges::all_of(m.children, [](const provider::Child& child) {
    return !child.model || !child.model->price.known() || child.model->price.free();
  });
}

boost::json::object model_json(const provider::Model& m) {
  const auto lists = price_lists(m);
  boost::json::array children;
  for (const provider::Child& child : m.children)
    children.push_back(boost::json::value(child.name));
  return {{"model_name", m.name},
          {"vendor_type", m.vendor_type},
          {"provider_type", m.provider_type},
          {"child_models", std::move(children)},
          {"max_context_length", m.max_context_length},
          {"max_output_tokens", m.max_output_tokens},
          {"param_scale", m.param_scale},
          {"supports_reasoning", m.supports_reasoning},
          {"supports_function_call", m.supports_function_call},
          {"supports_vision", m.supports_vision},
          {"tags", boost::json::array(m.tags.begin(), m.tags.end())},
          {"free", free(m)},
          {"pricing_tiers",
           webapi::price_tiers_array(m.price.tiers, governance::PriceSpelling::complete)},
          {"price_range", webapi::price_range_object(governance::range_of(lists))},
          {"created_at", m.created_ms}};
}

Answer list_models(const Portal& p, const Request& request) {
  DP_TRY(const webapi::SearchPaging paging, webapi::search_paging_of(request));
  const auto catalog = p.catalog.current();
  boost::json::array items;
  int64_t matching = 0;
  for (const auto& model : catalog->models()) {
    if (!model->sold() || !paging.finds(model->name)) continue;
    const bool on_page = matching >= paging.offset() && matching < paging.offset() + paging.size;
    if (on_page) items.push_back(model_json(*model));
    ++matching;
  }
  return webapi::page_of(paging, std::move(items), matching);
}

// No SQL, so no pool: it answers from the loop even while the database is away.
Task<void> answer_models(http::Exchange& x, const Portal& p) {
  const Request request = webapi::request_of(x);
  Answer listed = list_models(p, request);
  co_await webapi::answer(x, std::move(listed));
}

}  // namespace

std::vector<http::Route> public_model_routes(const Portal& p) {
  return {{http::Method::get, "/api/v1/public/models", http::Access::anyone, webapi::kMaxBody,
           [p](http::Exchange& x) { return answer_models(x, p); }}};
}

}  // namespace deeppool::portalapi
