#include "tests/api/rig.h"

#include <boost/json/parse.hpp>
#include <stdexcept>

#include "crypto/password.h"
#include "identity/session_store.h"
#include "identity/tokens.h"
#include "sql/transaction.h"
#include "testing/raw_client.h"
#include "webapi/envelope.h"
#include "webapi/session_check.h"

namespace deeppool::api_contract {
namespace {

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  throw std::runtime_error(result.error().message + " (" + result.error().detail + ")");
}

Task<void> wind_down(http::Server& server, async::Loop& loop) {
  co_await server.drain(std::chrono::seconds(5));
  loop.stop();
}

Task<bool> nothing_before(http::Exchange&) {
  co_return false;
}

}  // namespace

std::string Reply::param() const {
  const auto* object = data().if_object();
  const auto* param = object == nullptr ? nullptr : object->if_contains("param");
  return param == nullptr ? "" : std::string(param->as_string());
}

Rig::Rig(sql::Database& database)
    : database_(database), services_{database_,
                                     pool_,
                                     clock_,
                                     random_,
                                     sealer_,
                                     passwords_,
                                     [this] { (void)refresh_.refresh().ok(); }} {
  auto table = portalapi::routes({services_, catalog_, guards_, router_of_models_, usage_});
  for (auto& route : adminapi::routes({services_, keys_, catalog_, usage_,
                                       [] { return adminapi::LiveFigures{3, 4}; }, outside_})) {
    table.push_back(std::move(route));
  }
  router_ = std::make_unique<http::Router>(std::move(table));
  hooks_.answer_error = webapi::answer_error;
  hooks_.authorize = [this](http::Exchange& x, http::Access access) {
    return webapi::authorize(services_, x, access);
  };
  hooks_.before = nothing_before;
  hooks_.after = [](const http::Exchange&, const http::Route*) {};
  server_ = std::make_unique<http::Server>(loop_, *router_, hooks_, http::ServerSettings{});
  port_ = must(server_->listen(*async::Address::from_ip("127.0.0.1", 0)));
  thread_ = std::thread([this] { loop_.run(); });
}

Rig::~Rig() {
  loop_.post([this] { control_.spawn(wind_down(*server_, loop_)); });
  thread_.join();
}

Reply Rig::call(std::string_view method, const std::string& path, std::string_view token,
                std::string_view body) {
  std::string request = std::string(method) + " " + path +
                        " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: rig\r\n";
  if (!token.empty()) request += "Authorization: Bearer " + std::string(token) + "\r\n";
  if (!body.empty()) request += "Content-Type: application/json\r\n";
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  testing::RawClient client(port_);
  client.send(request);
  const auto answers = testing::parse_answers(client.read_to_end());
  if (answers.size() != 1 || answers[0].broken) {
    throw std::runtime_error("no whole answer to " + std::string(method) + " " + path);
  }
  const bool json = answers[0].header("Content-Type") == "application/json";
  return {answers[0].status, answers[0].body, answers[0].head,
          json ? boost::json::parse(answers[0].body) : boost::json::value()};
}

Person Rig::add_person(const std::string& username, identity::Role role) {
  identity::User user;
  user.username = username;
  user.role = role;
  user.created_at_ms = webapi::now_ms(services_);
  const std::string hash = must(crypto::hash_password(kPassword, random_, {.log2_rounds = 4}));
  const auto id = must(sql::run_transaction(
      database_, [&](sql::Writer& tx) { return identity::users::create(tx, user, hash); }));
  return {id, new_session(id)};
}

std::string Rig::new_session(base::UserId user) {
  const std::string token = identity::make_token(identity::kSessionMark, random_);
  must(sql::run_transaction(database_, [&](sql::Writer& tx) {
    return identity::sessions::open(tx,
                                    {user, token, "127.0.0.1", "rig", webapi::now_ms(services_)});
  }));
  return token;
}

std::string id_of(const Reply& reply) {
  return std::to_string(reply.data().at("id").as_int64());
}

std::string at(std::string text, const std::string& id) {
  for (size_t i = text.find('@'); i != std::string::npos; i = text.find('@', i + id.size())) {
    text.replace(i, 1, id);
  }
  return text;
}

std::string filled(std::string_view pattern, std::string_view value) {
  std::string out;
  for (const std::string_view segment : base::split(pattern.substr(1), '/')) {
    out += '/';
    out += segment.starts_with('{') ? value : segment;
  }
  return out;
}

}  // namespace deeppool::api_contract
