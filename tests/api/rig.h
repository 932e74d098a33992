// Rig: the whole of /api/v1 as the manager serves it, on a loopback port and a thread of its own,
// over one database. Calls are made from the test's thread, each on a connection of its own.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adminapi/routes.h"
#include "governance/funds/funds.h"
#include "governance/usage/usage_store.h"
#include "http/server/server.h"
#include "identity/key_directory.h"
#include "identity/user_store.h"
#include "jobs/config_refresh.h"
#include "portalapi/routes.h"
#include "provider/catalog.h"
#include "testing/databases.h"
#include "testing/fake_clock.h"
#include "webapi/services.h"

namespace deeppool::api_contract {

inline constexpr const char* kPassword = "correct horse 1";

struct Reply {
  int status = 0;
  std::string raw;          // the body as it came
  std::string head;         // the status line and headers
  boost::json::value body;  // null if it is no JSON

  const boost::json::value& data() const { return body.at("data"); }
  std::string message() const { return std::string(body.at("message").as_string()); }
  // The field at fault; empty if none is named.
  std::string param() const;
};

struct Person {
  base::UserId id;
  std::string token;
};

class Rig {
 public:
  explicit Rig(sql::Database& database);
  ~Rig();

  Reply call(std::string_view method, const std::string& path, std::string_view token = {},
             std::string_view body = {});
  // Straight into the store, with kPassword and a session.
  Person add_person(const std::string& username, identity::Role role = identity::Role::user);
  std::string new_session(base::UserId user);

  const std::vector<http::Route>& routes() const { return router_->routes(); }
  testing::FakeClock& clock() { return clock_; }
  sql::Database& database() { return database_; }
  const crypto::Sealer& sealer() const { return sealer_; }
  identity::KeyDirectory& keys() { return keys_; }
  provider::CatalogDirectory& catalog() { return catalog_; }
  const routing::Router& router() const { return router_of_models_; }
  governance::UsageStore& usage() { return usage_; }

 private:
  sql::Database& database_;
  testing::FakeClock clock_;
  base::SystemRandom random_;
  crypto::Sealer sealer_{crypto::SecretKey::generate(random_), random_};
  identity::KeyDirectory keys_;
  provider::CatalogDirectory catalog_;
  routing::Router router_of_models_;
  governance::Funds funds_{database_, base::RequestId{}, clock_};
  jobs::ConfigRefresh refresh_{{database_, sealer_, keys_, catalog_, router_of_models_, funds_}};
  governance::UsageStore usage_{database_, base::RequestId{}};
  portalapi::Guards guards_{clock_};
  async::Loop loop_;
  // The pools' jobs wake coroutines of the loop: they end before it.
  identity::PasswordHasher passwords_{random_, {.log2_rounds = 4}};
  async::BlockingPool pool_{"store", 4, 256};
  async::BlockingPool lookups_{"lookup", 1, 16};
  http::TlsContexts contexts_;
  const http::Proxy proxy_;
  const provider::Adapters adapters_{clock_};
  const setup::Outside outside_{lookups_, contexts_, proxy_, adapters_};
  webapi::Services services_;
  std::unique_ptr<http::Router> router_;
  http::ServerHooks hooks_;
  std::unique_ptr<http::Server> server_;
  async::TaskGroup control_{loop_};
  uint16_t port_ = 0;
  std::thread thread_;
};

// A fixture with a rig per test, on every engine.
class ApiTest : public testing::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (!IsSkipped()) rig_ = std::make_unique<Rig>(database());
  }
  void TearDown() override { rig_.reset(); }
  Rig& rig() { return *rig_; }

 private:
  std::unique_ptr<Rig> rig_;
};

// The id of the object that an answer shows, as text. Stores may leave gaps: never guess one.
std::string id_of(const Reply& reply);
// `text` with every @ replaced.
std::string at(std::string text, const std::string& id);
// The pattern with every segment in braces replaced.
std::string filled(std::string_view pattern, std::string_view value);

}  // namespace deeppool::api_contract
