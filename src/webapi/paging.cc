#include "webapi/paging.h"

#include <algorithm>

#include "webapi/limits.h"
#include "webapi/usage_json.h"

namespace deeppool::webapi {
namespace {

Result<int64_t> bounded(const Request& request, std::string_view name, int64_t otherwise,
                        int64_t max) {
  const auto text = request.query(name);
  if (!text) return otherwise;
  const auto value = base::parse_int<int64_t>(*text);
  if (!value || *value < 1 || *value > max) {
    return Error::invalid(
        std::string(name),
        "`" + std::string(name) + "` must be an integer from 1 to " + std::to_string(max) + ".");
  }
  return *value;
}

}  // namespace

bool SearchPaging::finds(std::string_view text) const {
  const auto same = [](char a, char b) { return base::lower(a) == base::lower(b); };
  return keyword.empty() || !std::ranges::search(text, keyword, same).empty();
}

Result<Paging> paging_of(const Request& request) {
  if (request.query("keyword")) {
    return Error::invalid("keyword", "This list cannot be searched by `keyword`.");
  }
  Paging paging;
  DP_TRY(paging.page, bounded(request, "page", 1, kMaxPage));
  DP_TRY(paging.size, bounded(request, "page_size", kDefaultPageSize, kMaxPageSize));
  return paging;
}

Result<SearchPaging> search_paging_of(const Request& request) {
  SearchPaging paging;
  DP_TRY(paging.page, bounded(request, "page", 1, kMaxPage));
  DP_TRY(paging.size, bounded(request, "page_size", kDefaultPageSize, kMaxPageSize));
  paging.keyword = request.query("keyword").value_or("");
  if (paging.keyword.size() > kMaxKeywordBytes || !base::valid_utf8(paging.keyword) ||
      paging.keyword.find('\0') != std::string::npos) {
    return Error::invalid("keyword", "`keyword` must be text of at most " +
                                         std::to_string(kMaxKeywordBytes) + " bytes.");
  }
  return paging;
}

boost::json::value page_of(const Paging& paging, boost::json::array items, int64_t total) {
  return {{"items", std::move(items)},
          {"total", total},
          {"page", paging.page},
          {"page_size", paging.size}};
}

Result<std::optional<bool>> flag_of(const Request& request, std::string_view name) {
  const auto text = request.query(name);
  if (!text) return std::optional<bool>();
  if (*text == "true") return std::optional(true);
  if (*text == "false") return std::optional(false);
  return Error::invalid(std::string(name), "`" + std::string(name) + "` must be true or false.");
}

Result<std::optional<int64_t>> integer_of(const Request& request, std::string_view name) {
  const auto text = request.query(name);
  if (!text) return std::optional<int64_t>();
  const auto value = base::parse_int<int64_t>(*text);
  if (value && *value >= 0) return value;
  return Error::invalid(std::string(name),
                        "`" + std::string(name) + "` must be an integer of at least 0.");
}

Result<int64_t> day_of(const Request& request, std::string_view name, int64_t otherwise) {
  const auto text = request.query(name);
  if (!text) return otherwise;
  const auto day = parse_day(*text);
  if (day) return *day;
  return Error::invalid(std::string(name),
                        "`" + std::string(name) + "` must be a day, such as 2026-01-31 (UTC).");
}

}  // namespace deeppool::webapi
