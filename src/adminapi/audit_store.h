// The table audit_log: every administrative change, written in the transaction that makes it, never
// changed or deleted. Blocking; for blocking pools only. Details hold no secrets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "sql/session.h"

namespace deeppool::adminapi::audit {

struct Entry {
  int64_t id = 0;
  int64_t at_ms = 0;
  base::UserId actor;
  std::string actor_name;
  std::string action;       // "model.update"
  std::string object_type;  // "model"
  std::string object_id;
  std::string detail;  // a JSON object: what changed, from and to
  std::string ip;

  static Entry from_row(const sql::Row& row);
};

// Unset filters match everything.
struct Search {
  std::string keyword{};             // in actor, action, object or detail; empty: all
  std::optional<std::string> actor;  // username
  std::optional<std::string> action;
  std::optional<std::string> object_type;
  std::optional<std::string> object_id;
  int64_t from_ms = 0;
  int64_t to_ms = 0;  // exclusive
  int64_t limit = 20;
  int64_t offset = 0;
};
struct Found {
  std::vector<Entry> entries;  // newest first
  int64_t total = 0;
};

Result<void> record(sql::Writer& tx, const Entry& entry);
Result<Found> search(sql::Reader& reader, const Search& wanted);

}  // namespace deeppool::adminapi::audit
