// CSV as spreadsheets read it (RFC 4180: comma, CRLF, quotes doubled), and sending it in pages, so
// that an export of any length takes one page of memory. A cell that a spreadsheet would take for a
// formula (= + - @ first, or a tab or line break before it) gets an apostrophe in front.
// CsvText is pure; json_or_csv() runs on the exchange's loop, its work on the SQL pool.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "webapi/handler.h"

namespace deeppool::webapi {

class CsvText {
 public:
  void cell(std::string_view text);
  template <std::integral T>
  void cell(T number) {
    cell(std::string_view(std::to_string(number)));
  }
  void end_row();
  void row(std::initializer_list<std::string_view> cells);
  std::string take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
  bool row_begun_ = false;
};

// A page's text, which may be empty; nothing at the end.
using CsvPage = Result<std::optional<std::string>>;

struct CsvExport {
  std::string file_name;
  std::function<CsvPage()> next;  // called by one thread at a time, on the SQL pool
};
// Reads the query and says what is to be exported; no SQL yet.
using CsvWork = std::function<Result<CsvExport>(const Request&)>;

// `format=csv`, or `Accept: text/csv` without a `format`, asks for CSV; else it is JSON. When an
// export fails after its first page, the connection is cut, so that it cannot pass for whole.
http::Handler json_or_csv(const Services& services, Work json, CsvWork csv);

}  // namespace deeppool::webapi
