#include "adminapi/audited_change.h"

#include <boost/json/serialize.hpp>

#include "adminapi/audit_store.h"

namespace deeppool::adminapi {

Result<void> audited_change(const webapi::Services& services, const webapi::Request& request,
                            const std::function<Result<Change>(sql::Writer&)>& work) {
  return webapi::commit_change(services, [&](sql::Writer& tx) -> Result<void> {
    DP_TRY(const Change change, work(tx));
    audit::Entry entry;
    entry.at_ms = webapi::now_ms(services);
    entry.actor = request.user.id;
    entry.actor_name = request.user.name;
    entry.action = change.action;
    entry.object_type = change.object_type;
    entry.object_id = change.object_id;
    entry.detail = boost::json::serialize(change.detail);
    entry.ip = request.ip;
    return audit::record(tx, entry);
  });
}

boost::json::object difference(const boost::json::object& before,
                               const boost::json::object& after) {
  boost::json::object out;
  for (const auto& [name, to] : after) {
    const boost::json::value* from = before.if_contains(name);
    if (name == "updated_at" || (from != nullptr && *from == to)) continue;
    out[name] = {{"from", from == nullptr ? boost::json::value() : *from}, {"to", to}};
  }
  return out;
}

}  // namespace deeppool::adminapi
