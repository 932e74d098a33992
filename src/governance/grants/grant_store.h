// The table token_grants: free tokens that administrators give to users. Not money: requests use
// them before the discount and the wallet, those that expire first, first. Blocking; for blocking
// pools. What of a grant is used and leased is written by the applier and by funds, never here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "sql/session.h"

namespace deeppool::governance {

struct TokenGrant {
  base::GrantId id;
  base::UserId user;
  int64_t tokens_total = 0;
  int64_t tokens_used = 0;
  int64_t tokens_leased = 0;             // of the rest, what instances keep
  std::optional<int64_t> expires_at_ms;  // nothing: never
  std::string remark;
  int64_t created_at_ms = 0;
  std::optional<int64_t> revoked_at_ms;

  static TokenGrant from_row(const sql::Row& row);
};

namespace grants {

struct NewGrant {
  base::UserId user;
  int64_t tokens = 0;
  std::optional<int64_t> expires_at_ms;
  std::string remark;
  base::UserId created_by;
  int64_t now_ms = 0;
};
Result<base::GrantId> create(sql::Writer& tx, const NewGrant& grant);

// Requests that hold it already may still use it; nobody gets more of it. Revoking twice changes
// nothing. not_found: there is no such grant.
Result<TokenGrant> revoke(sql::Writer& tx, base::GrantId id, int64_t now_ms);

Result<TokenGrant> get(sql::Reader& reader, base::GrantId id);

// Unset filters match everything.
struct Search {
  std::optional<base::UserId> user{};
  std::optional<int64_t> usable_at_ms{};  // only those that may still be used then
  std::string keyword{};                  // in the remark
  int64_t limit = 20;
  int64_t offset = 0;
};
struct Found {
  std::vector<TokenGrant> grants;  // newest first
  int64_t total = 0;
};
Result<Found> search(sql::Reader& reader, const Search& wanted);

}  // namespace grants
}  // namespace deeppool::governance
