#include "provider/gemini/tools.h"

#include "base/text.h"
#include "provider/gemini/schema.h"

namespace deeppool::provider::gemini {
namespace {

using json::Reader;

Result<std::string> declaration(JsonText function, const std::string& path) {
  std::string out = R"({"name":)";
  out += member(function, "name");
  const JsonText description = member(function, "description");
  if (is_string(description)) out.append(R"(,"description":)").append(description);
  const JsonText parameters = member(function, "parameters");
  if (is_object(parameters)) {
    DP_TRY(const std::string schema, openapi_schema(parameters, path + ".parameters"));
    if (!schema.empty()) out.append(R"(,"parameters":)").append(schema);
  }
  return out += '}';
}

std::string config_of(std::string_view mode, std::string_view names = {}) {
  std::string out = R"({"mode":")" + std::string(mode) + '"';
  if (!names.empty()) out.append(R"(,"allowedFunctionNames":[)").append(names).append("]");
  return out += '}';
}

// {"mode":"auto"|"required","tools":[{"type":"function","function":{"name":...}}]}
std::string allowed_tools(JsonText allowed) {
  std::string names;
  const JsonText tools = member(allowed, "tools");
  if (is_array(tools)) {
    Reader reader(tools);
    for (json::Elements elements(reader); elements.next();) {
      const JsonText tool = take(reader);
      const JsonText function = member(tool, "function");
      const JsonText name = member(is_object(function) ? function : tool, "name");
      if (!is_string(name)) continue;
      if (!names.empty()) names += ',';
      names += name;
    }
  }
  return config_of(member(allowed, "mode") == R"("required")" ? "ANY" : "VALIDATED", names);
}

}  // namespace

Result<void> append_declarations(JsonText tools, std::string_view field, std::string& declarations,
                                 std::vector<std::string>& dropped) {
  if (!is_array(tools)) return {};
  Reader reader(tools);
  for (json::Elements elements(reader); elements.next();) {
    const JsonText tool = take(reader);
    const JsonText function = field == "tools" ? member(tool, "function") : tool;
    const std::string path = std::string(field) + "[" + std::to_string(elements.index()) + "]";
    if (!is_object(function)) {
      dropped.push_back(path);
      continue;
    }
    DP_TRY(const std::string text,
           declaration(function, field == "tools" ? path + ".function" : path));
    if (!declarations.empty()) declarations += ',';
    declarations += text;
  }
  return {};
}

std::string calling_config(JsonText choice) {
  if (is_string(choice)) {
    const std::string_view word = raw_of(choice);
    return config_of(word == "none" ? "NONE" : word == "required" ? "ANY" : "AUTO");
  }
  if (!is_object(choice)) return {};
  if (member(choice, "type") == R"("allowed_tools")") {
    return allowed_tools(member(choice, "allowed_tools"));
  }
  const JsonText function = member(choice, "function");
  const JsonText name = member(is_object(function) ? function : choice, "name");
  return config_of("ANY", name);
}

}  // namespace deeppool::provider::gemini
