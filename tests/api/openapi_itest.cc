// The route tables and api/*.yaml name the same routes, each with the access that it has.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

struct Documented {
  bool open = false;  // says that it needs no login
  std::string file;
  YAML::Node operation;
};
using Operations = std::map<std::string, Documented>;  // by "GET /api/v1/..."

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

void read_document(const std::string& file, YAML::Node document, Operations& out) {
  for (const auto& path : document["paths"]) {
    for (const auto& member : path.second) {
      const auto method = member.first.as<std::string>();
      if (method == "parameters") continue;
      const YAML::Node security = member.second["security"];
      const bool open = security && security.size() == 0;
      const auto name = upper(method) + " " + path.first.as<std::string>();
      EXPECT_TRUE(out.emplace(name, Documented{open, file, member.second}).second)
          << name << " is documented twice";
    }
  }
}

Operations documented() {
  Operations out;
  for (const char* file : {"portal.yaml", "admin.yaml"}) {
    read_document(file, YAML::LoadFile(std::string(DEEPPOOL_SOURCE_DIR) + "/api/" + file), out);
  }
  return out;
}

// Every $ref leads somewhere.
void check_references(const YAML::Node& root, const YAML::Node& node) {
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) check_references(root, item);
  }
  if (!node.IsMap()) return;
  for (const auto& member : node) {
    if (member.first.as<std::string>() != "$ref") {
      check_references(root, member.second);
      continue;
    }
    const auto ref = member.second.as<std::string>();
    ASSERT_TRUE(ref.starts_with("#/")) << ref;
    YAML::Node target = YAML::Clone(root);
    for (const auto part : base::split(std::string_view(ref).substr(2), '/')) {
      ASSERT_TRUE(target.IsMap() && target[std::string(part)]) << ref;
      target.reset(target[std::string(part)]);
    }
  }
}

TEST(OpenApi, DocumentsAreWhole) {
  for (const char* file : {"portal.yaml", "admin.yaml"}) {
    const YAML::Node root = YAML::LoadFile(std::string(DEEPPOOL_SOURCE_DIR) + "/api/" + file);
    EXPECT_EQ(root["openapi"].as<std::string>(), "3.1.0");
    check_references(root, root["paths"]);
  }
}

// Every member that a schema names, through its $refs and allOfs.
void collect_names(const YAML::Node& schemas, const YAML::Node& schema,
                   std::set<std::string>& names) {
  if (const YAML::Node ref = schema["$ref"]) {
    const auto path = ref.as<std::string>();
    collect_names(schemas, schemas[path.substr(path.rfind('/') + 1)], names);
  }
  for (const YAML::Node& part : schema["allOf"]) collect_names(schemas, part, names);
  for (const auto& member : schema["properties"]) names.insert(member.first.as<std::string>());
}

TEST(OpenApi, NamesTheFieldsThatAnswersHave) {
  testing::TemporaryDatabase temporary(testing::DatabaseKind::sqlite);
  Rig rig(temporary.database());
  const std::string admin = rig.add_person("root", identity::Role::admin).token;
  const YAML::Node schemas =
      YAML::LoadFile(std::string(DEEPPOOL_SOURCE_DIR) + "/api/admin.yaml")["components"]["schemas"];
  const auto make = [&](const char* path, const std::string& body) {
    return rig.call("POST", path, admin, body);
  };
  const Reply endpoint =
      make("/api/v1/admin/endpoints", R"({"name":"e","endpoint":"https://h/v1"})");
  const Reply model =
      make("/api/v1/admin/models",
           at(R"({"model_name":"m","endpoint_ids":[@],"pricing_tiers":null})", id_of(endpoint)));
  const Reply user = make("/api/v1/admin/users", R"({"username":"ada","password":"long enough"})");
  for (const auto& [schema, reply] :
       {std::pair("Endpoint", &endpoint), std::pair("Model", &model), std::pair("User", &user)}) {
    ASSERT_EQ(reply->status, 200) << reply->raw;
    std::set<std::string> named;
    collect_names(schemas, schemas[schema], named);
    for (const auto& member : reply->data().as_object()) {
      EXPECT_TRUE(named.contains(std::string(member.key()))) << schema << ": " << member.key();
    }
  }
}

TEST(OpenApi, NamesTheRoutesThatThereAre) {
  testing::TemporaryDatabase temporary(testing::DatabaseKind::sqlite);
  Rig rig(temporary.database());
  Operations operations = documented();
  for (const http::Route& route : rig.routes()) {
    const std::string name = std::string(http::to_string(route.method)) + " " + route.pattern;
    const auto found = operations.find(name);
    ASSERT_NE(found, operations.end()) << name << " is not documented in api/";
    const Documented& doc = found->second;
    EXPECT_EQ(doc.open, route.access == http::Access::anyone) << name;
    EXPECT_EQ(doc.file, route.access == http::Access::admin ? "admin.yaml" : "portal.yaml") << name;
    const YAML::Node responses = doc.operation["responses"];
    EXPECT_TRUE(responses["200"]) << name;
    EXPECT_EQ(static_cast<bool>(responses["403"]) || !doc.file.starts_with("admin"), true) << name;
    if (!doc.open) EXPECT_TRUE(responses["401"]) << name;
    EXPECT_TRUE(doc.operation["operationId"] && doc.operation["summary"]) << name;
    operations.erase(found);
  }
  for (const auto& [name, doc] : operations) {
    ADD_FAILURE() << name << " is documented in " << doc.file << " but there is no such route";
  }
}

}  // namespace
}  // namespace deeppool::api_contract
