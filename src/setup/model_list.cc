#include "setup/model_list.h"

#include <boost/json.hpp>

#include "provider/request_head.h"
#include "setup/limits.h"

namespace deeppool::setup {
namespace {

namespace bj = boost::json;

// Google writes its models' names as paths.
constexpr std::string_view kGooglePrefix = "models/";

std::string text_of(const bj::object& object, std::string_view name) {
  const bj::value* v = object.if_contains(name);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : "";
}

// The first of `names` that is a number: vendors have no common word.
int64_t number_of(const bj::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const bj::value* v = object.if_contains(name);
    if (v != nullptr && v->is_int64() && v->get_int64() > 0) return v->get_int64();
  }
  return 0;
}

ListedModel read_model(const bj::object& object) {
  ListedModel model;
  model.id = text_of(object, "id");
  if (model.id.empty()) {
    model.id = text_of(object, "name");
    if (model.id.starts_with(kGooglePrefix)) model.id.erase(0, kGooglePrefix.size());
  }
  model.name = text_of(object, "display_name");
  if (model.name.empty()) model.name = text_of(object, "displayName");
  model.context = number_of(object, {"max_model_len", "context_length", "context_window",
                                     "max_input_tokens", "inputTokenLimit"});
  model.max_output = number_of(
      object, {"max_output_tokens", "max_completion_tokens", "max_tokens", "outputTokenLimit"});
  return model;
}

// Google's list also has models that make no answers.
bool answers(const bj::object& object) {
  const bj::value* methods = object.if_contains("supportedGenerationMethods");
  if (methods == nullptr || !methods->is_array()) return true;
  for (const bj::value& method : methods->get_array()) {
    if (method.is_string() && method.get_string() == "generateContent") return true;
  }
  return false;
}

}  // namespace

std::string model_list_head(const provider::Endpoint& endpoint) {
  std::string_view query;
  std::string_view key_field = "Authorization: Bearer ";
  std::string_view more;
  if (endpoint.provider_type == "anthropic") {
    query = "?limit=1000";
    key_field = "x-api-key: ";
    more = "anthropic-version: 2023-06-01\r\n";
  } else if (endpoint.provider_type == "gemini") {
    query = "?pageSize=1000";
    key_field = "x-goog-api-key: ";
  }
  base::TextBuffer head;
  head.put("GET ", endpoint.path_prefix, "/models", query, " HTTP/1.1\r\nHost: ");
  provider::put_authority(head, endpoint);
  head.put(
      "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\nUser-Agent: DeepPool/0.1\r\n",
      more);
  if (!endpoint.api_key.empty()) head.put(key_field, endpoint.api_key, "\r\n");
  head.put("\r\n");
  return std::string(head.view());
}

Result<std::vector<ListedModel>> read_model_list(std::string_view json) {
  boost::system::error_code failed;
  const bj::value parsed = bj::parse(json, failed);
  const bj::object* object = failed ? nullptr : parsed.if_object();
  const bj::value* list = nullptr;
  if (object != nullptr) list = object->if_contains("data");
  if (object != nullptr && list == nullptr) list = object->if_contains("models");
  if (list == nullptr || !list->is_array()) {
    return Error(ErrorCode::upstream_failed, "What came is no list of models.");
  }
  std::vector<ListedModel> models;
  for (const bj::value& item : list->get_array()) {
    if (models.size() == kMaxListedModels) break;
    if (!item.is_object() || !answers(item.get_object())) continue;
    ListedModel model = read_model(item.get_object());
    if (!model.id.empty()) models.push_back(std::move(model));
  }
  return models;
}

}  // namespace deeppool::setup
