// Holds a journal of callers against what is stored: all of it must be there, with the same tokens.
#include <fmt/format.h>

#include <istream>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "governance/verify/limits.h"
#include "governance/verify/passes.h"

namespace deeppool::governance::verify {
namespace {

struct Tokens {
  int64_t prompt = 0;
  int64_t completion = 0;
  friend bool operator==(const Tokens&, const Tokens&) = default;
};
using Seen = std::unordered_map<base::RequestId, Tokens>;

std::optional<std::pair<base::RequestId, Tokens>> parse_line(const std::string& line) {
  std::istringstream words(line);
  std::string id;
  Tokens tokens;
  if (!(words >> id >> tokens.prompt >> tokens.completion)) return std::nullopt;
  const auto request = base::RequestId::parse(id);
  if (!request) return std::nullopt;
  return std::pair(*request, tokens);
}

void missing(Report& report, const base::RequestId& request, const std::string& what) {
  report.broken(Invariant::journal, "request " + request.to_string() + ": " + what);
}

Result<void> look_up(sql::Reader& reader, Report& report, Seen& seen) {
  std::vector<base::RequestId> ids;
  for (const auto& [request, tokens] : seen) ids.push_back(request);
  report.checked(Invariant::journal, static_cast<int64_t>(ids.size()));
  DP_TRY(const auto rows,
         (reader.query_list<base::RequestId, int64_t, int64_t>(
             "SELECT request_id, prompt_tokens, completion_tokens FROM usage_records WHERE"
             " request_id IN ({list})",
             std::span(std::as_const(ids)))));
  for (const auto& [request, prompt, completion] : rows) {
    const Tokens wanted = seen.at(request);
    seen.erase(request);
    if (wanted == Tokens{prompt, completion}) continue;
    missing(report, request,
            fmt::format("{} and {} tokens are stored, the caller saw {} and {}", prompt, completion,
                        wanted.prompt, wanted.completion));
  }
  for (const auto& [request, tokens] : seen) missing(report, request, "is not stored");
  seen.clear();
  return {};
}

}  // namespace

Result<void> check_journal(sql::Reader& reader, Report& report, std::istream& journal) {
  Seen seen;
  int64_t number = 0;
  for (std::string line; std::getline(journal, line);) {
    ++number;
    if (line.empty()) continue;
    const auto parsed = parse_line(line);
    if (!parsed) {
      return Error(ErrorCode::invalid_request,
                   fmt::format("line {} of the journal must be: request id, prompt tokens, "
                               "completion tokens",
                               number));
    }
    seen.insert(*parsed);
    if (seen.size() >= kJournalBatch) DP_CHECK(look_up(reader, report, seen));
  }
  return look_up(reader, report, seen);
}

}  // namespace deeppool::governance::verify
