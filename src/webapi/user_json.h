// A user as /api/v1 shows one: to the user and to administrators alike.
#pragma once

#include <boost/json/value.hpp>

#include "identity/user_store.h"

namespace deeppool::webapi {

inline boost::json::object user_json(const identity::User& user) {
  return {{"id", user.id.value},
          {"username", user.username},
          {"phone", user.phone},
          {"email", user.email},
          {"role", identity::to_string(user.role)},
          {"identity", user.identity},
          {"user_type", user.user_type},
          {"enabled", user.enabled},
          {"created_at", user.created_at_ms},
          {"updated_at", user.updated_at_ms}};
}

}  // namespace deeppool::webapi
