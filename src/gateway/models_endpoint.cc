#include "gateway/models_endpoint.h"

#include "base/text.h"
#include "base/timestamp.h"
#include "gateway/admission.h"
#include "gateway/messages.h"

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

void append_anthropic_model(std::string& out, const provider::Model& model) {
  out += "{\"type\":\"model\",\"id\":";
  base::append_json_string(out, model.name);
  out += ",\"display_name\":";
  base::append_json_string(out, model.name);
  out += ",\"created_at\":\"" + base::rfc3339(model.created_ms / 1000) + "\"";
  if (model.max_context_length > 0) {
    out += ",\"max_input_tokens\":" + std::to_string(model.max_context_length);
  }
  if (model.max_output_tokens > 0) {
    out += ",\"max_tokens\":" + std::to_string(model.max_output_tokens);
  }
  out += '}';
}

// How the callers of this request see models and errors.
struct Shape {
  void (*append)(std::string& out, const provider::Model& model);
  const Protocol& protocol;
};
Shape shape_of(const http::Exchange& x) {
  if (speaks_anthropic(x)) return {append_anthropic_model, kMessages};
  return {append_model, kChat};
}

using Models = std::vector<const provider::Model*>;

std::string list_of(const Models& models, const Shape& shape) {
  const bool anthropic = &shape.protocol == &kMessages;
  std::string body = anthropic ? "{\"data\":[" : "{\"object\":\"list\",\"data\":[";
  for (const provider::Model* model : models) {
    if (body.back() != '[') body += ',';
    shape.append(body, *model);
  }
  body += ']';
  if (anthropic) {  // one page always
    const auto name = [&](std::string_view member, const provider::Model& model) {
      body.append(",\"").append(member).append("\":");
      base::append_json_string(body, model.name);
    };
    body += ",\"has_more\":false";
    if (models.empty()) return body + ",\"first_id\":null,\"last_id\":null}";
    name("first_id", *models.front());
    name("last_id", *models.back());
  }
  return body + "}";
}

Task<void> answer(http::Exchange& x, const std::string& body) {
  Result<void> sent = co_await x.send(200, "application/json", body);
  (void)sent;
}

}  // namespace

Task<void> list_models(Parts& parts, http::Exchange& x) {
  const Shape shape = shape_of(x);
  Call call(parts, x, shape.protocol);
  if (Result<void> known = identify(call); !known) {
    co_await shape.protocol.answer_error(x, std::move(known).error());
    co_return;
  }
  const auto catalog = parts.catalog.current();
  Models models;
  for (const auto* list : {&catalog->models(), &catalog->models_of(call.key->owner)}) {
    for (const auto& model : *list) {
      if (model->sold() && call.key->may_use(model->name)) models.push_back(model.get());
    }
  }
  co_await answer(x, list_of(models, shape));
}

Task<void> get_model(Parts& parts, http::Exchange& x) {
  const Shape shape = shape_of(x);
  Call call(parts, x, shape.protocol);
  if (Result<void> known = identify(call); !known) {
    co_await shape.protocol.answer_error(x, std::move(known).error());
    co_return;
  }
  const auto catalog = parts.catalog.current();
  const std::string& name = x.params.front();
  const provider::Model* model = catalog->find(name, call.key->owner);
  if (model == nullptr || !model->sold() || !call.key->may_use(name)) {
    co_await shape.protocol.answer_error(x, no_such_model(name));
    co_return;
  }
  std::string body;
  shape.append(body, *model);
  co_await answer(x, body);
}

}  // namespace deeppool::gateway
