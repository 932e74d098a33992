#include "mock_upstream/script.h"

#include "base/text.h"

namespace deeppool::mock {
namespace {

constexpr std::string_view kPrefix = "mock-";

void add_param(Script& script, std::string_view text) {
  text = base::trim(text);
  if (text.empty()) return;
  const size_t equals = text.find('=');
  const std::string_view name = base::trim(text.substr(0, equals));
  const std::string_view value =
      equals == std::string_view::npos ? "1" : base::trim(text.substr(equals + 1));
  script.params.emplace_back(name, value);
}

}  // namespace

std::string_view Script::text(std::string_view name, std::string_view otherwise) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return otherwise;
}

int64_t Script::number(std::string_view name, int64_t otherwise) const {
  return base::parse_int<int64_t>(text(name, "")).value_or(otherwise);
}

Script parse_model_script(std::string_view model) {
  Script script;
  if (const size_t slash = model.rfind('/'); slash != std::string_view::npos) {
    model.remove_prefix(slash + 1);
  }
  if (const size_t plus = model.find("+mock"); plus != std::string_view::npos) {
    model.remove_prefix(plus + 1);
  }
  const size_t colon = model.find(':');
  const std::string_view name = model.substr(0, colon);
  if (!name.starts_with("mock")) return script;
  if (name.starts_with(kPrefix)) script.behaviour = name.substr(kPrefix.size());
  if (colon == std::string_view::npos) return script;
  for (const std::string_view param : base::split(model.substr(colon + 1), ',')) {
    add_param(script, param);
  }
  return script;
}

Script parse_header_script(std::string_view header) {
  Script script;
  const std::vector<std::string_view> parts = base::split(header, ';');
  script.behaviour = base::trim(parts.front());
  for (size_t i = 1; i < parts.size(); ++i) add_param(script, parts[i]);
  return script;
}

}  // namespace deeppool::mock
