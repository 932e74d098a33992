// Lists in pages: `page` from 1, `page_size` up to 100, `keyword`; answered as {"items", "total",
// "page", "page_size"}. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "webapi/handler.h"

namespace deeppool::webapi {

struct Paging {
  int64_t page = 1;
  int64_t size = 20;
  int64_t offset() const { return (page - 1) * size; }
};
struct SearchPaging : Paging {
  std::string keyword;                      // empty: all
  bool finds(std::string_view text) const;  // as SQL does: ASCII case aside
};
// invalid_request names the parameter that is wrong; so is a `keyword` where nothing is searched.
Result<Paging> paging_of(const Request& request);
Result<SearchPaging> search_paging_of(const Request& request);
boost::json::value page_of(const Paging& paging, boost::json::array items, int64_t total);

// `name=true` or `name=false`, nothing if absent; invalid_request for another value.
Result<std::optional<bool>> flag_of(const Request& request, std::string_view name);
// An integer of at least 0, nothing if absent.
Result<std::optional<int64_t>> integer_of(const Request& request, std::string_view name);

// A day as parse_day() reads it, `otherwise` if absent.
Result<int64_t> day_of(const Request& request, std::string_view name, int64_t otherwise);

}  // namespace deeppool::webapi
