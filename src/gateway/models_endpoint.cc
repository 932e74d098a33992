#include "gateway/models_endpoint.h"

#include "base/text.h"
#include "gateway/admission.h"
#include "gateway/openai_error.h"

namespace deeppool::gateway {
namespace {

void append_model(std::string& out, const provider::Model& model) {
  out += "{\"id\":";
  base::append_json_string(out, model.name);
  out += ",\"object\":\"model\",\"created\":" + std::to_string(model.created_ms / 1000);
  out += ",\"owned_by\":";
  base::append_json_string(out, model.owned_by);
  out += ",\"vendor_type\":";
  base::append_json_string(out, model.vendor_type);
  if (!model.endpoints.empty()) {
    out += ",\"provider_type\":";
    base::append_json_string(out, model.endpoints.front()->provider_type);
  }
  out += '}';
}

Task<void> answer(http::Exchange& x, const std::string& body) {
  Result<void> sent = co_await x.send(200, "application/json", body);
  (void)sent;
}

}  // namespace

Task<void> list_models(Parts& parts, http::Exchange& x) {
  Call call(parts, x, kChat);
  if (Result<void> known = identify(call); !known) {
    co_await answer_openai_error(x, std::move(known).error());
    co_return;
  }
  const auto catalog = parts.catalog.current();
  std::string body = "{\"object\":\"list\",\"data\":[";
  const size_t empty = body.size();
  for (const auto& model : catalog->models()) {
    if (!model->sold() || !call.key->may_use(model->name)) continue;
    if (body.size() > empty) body += ',';
    append_model(body, *model);
  }
  body += "]}";
  co_await answer(x, body);
}

Task<void> get_model(Parts& parts, http::Exchange& x) {
  Call call(parts, x, kChat);
  if (Result<void> known = identify(call); !known) {
    co_await answer_openai_error(x, std::move(known).error());
    co_return;
  }
  const auto catalog = parts.catalog.current();
  const std::string& name = x.params.front();
  const provider::Model* model = catalog->find(name);
  if (model == nullptr || !model->sold() || !call.key->may_use(name)) {
    co_await answer_openai_error(x, no_such_model(name));
    co_return;
  }
  std::string body;
  append_model(body, *model);
  co_await answer(x, body);
}

}  // namespace deeppool::gateway
