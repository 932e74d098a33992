#include "governance/alerts/alert.h"

#include "base/text.h"

namespace deeppool::governance::alerts {
namespace {

// All of them are digits, or texts that need no escape.
void add(std::string& out, std::string_view name, int64_t value) {
  out += ",\"";
  out += name;
  out += "\":";
  base::append_int(out, value);
}

void add(std::string& out, std::string_view name, std::optional<int64_t> value) {
  if (value) return add(out, name, *value);
  out += ",\"";
  out += name;
  out += "\":null";
}

void add(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  base::append_json_string(out, text);
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::balance:
      return "balance";
    case Kind::quota:
      return "quota";
    case Kind::test:
      return "test";
  }
  return "";
}

std::optional<Kind> parse_kind(std::string_view name) {
  for (const Kind kind : {Kind::balance, Kind::quota, Kind::test}) {
    if (name == to_string(kind)) return kind;
  }
  return std::nullopt;
}

std::string alert_json(const Alert& a) {
  std::string out = "{\"id\":";
  base::append_int(out, a.id.value);
  add(out, "rule_id", a.rule.value);
  add(out, "kind", to_string(a.kind));
  if (a.kind == Kind::balance) {
    add(out, "balance_yuan", std::string_view(a.balance.to_string()));
    add(out, "below_yuan", std::string_view(a.below.to_string()));
  } else if (a.kind == Kind::quota) {
    add(out, "key_id", a.key.value);
    add(out, "share_percent", a.share_percent);
    add(out, "quota_used", a.quota_used);
    add(out, "quota_total", a.quota_total);
  }
  add(out, "raised_at", a.raised_at_ms);
  add(out, "recovered_at", a.recovered_at_ms);
  add(out, "acknowledged_at", a.acknowledged_at_ms);
  add(out, "delivery", std::string_view(a.delivery));
  out += '}';
  return out;
}

}  // namespace deeppool::governance::alerts
