// How every administrative change is made: one transaction with the change, its row in the audit
// log and the new config_version; nothing of it stands without the rest. Blocking.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <string>

#include "webapi/handler.h"

namespace deeppool::adminapi {

struct Change {
  std::string action;       // "model.update"
  std::string object_type;  // "model"
  std::string object_id;
  boost::json::object detail;  // no secrets
};

// `work` makes the change and says what it was; it may run more than once.
Result<void> audited_change(const webapi::Services& services, const webapi::Request& request,
                            const std::function<Result<Change>(sql::Writer&)>& work);

// The members that differ, as {"name": {"from": ..., "to": ...}}; times of change are left out.
boost::json::object difference(const boost::json::object& before, const boost::json::object& after);

}  // namespace deeppool::adminapi
