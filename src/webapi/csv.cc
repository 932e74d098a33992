#include "webapi/csv.h"

#include "base/log.h"
#include "webapi/envelope.h"

namespace deeppool::webapi {
namespace {

enum class Format { json, csv };

// A media type with quality 0 is refused by the caller; nobody sends that for CSV.
bool accepts_csv(std::string_view accept) {
  for (const std::string_view part : base::split(accept, ',')) {
    if (base::iequals(base::trim(part.substr(0, part.find(';'))), "text/csv")) return true;
  }
  return false;
}

Result<Format> format_of(const http::Exchange& x) {
  const auto format = x.query("format");
  if (!format) {
    return accepts_csv(x.head.headers.find("accept").value_or("")) ? Format::csv : Format::json;
  }
  if (*format == "json") return Format::json;
  if (*format == "csv") return Format::csv;
  return Error::invalid("format", "`format` must be json or csv.");
}

Result<CsvExport> export_of(const Request& request, const CsvWork& work) {
  DP_CHECK(check_text(request));
  return work(request);
}

using Source = std::shared_ptr<const CsvExport>;

Task<CsvPage> next_page(const Services& services, Source source) {
  auto job = [source] { return source->next(); };
  CsvPage page = co_await services.sql_pool.run(std::move(job), sql_deadline());
  co_return page;
}

void begin(http::Exchange& x, const std::string& file_name) {
  x.add_header("Cache-Control", "no-store");
  x.add_header("Content-Disposition", "attachment; filename=\"" + file_name + "\"");
  x.add_header("X-Content-Type-Options", "nosniff");
  x.start_stream(200, "text/csv; charset=utf-8; header=present");
}

Task<void> send_csv(http::Exchange& x, const Services& services, Source source) {
  CsvPage page = co_await next_page(services, source);
  if (!page) {
    co_await answer_error(x, std::move(page).error());
    co_return;
  }
  begin(x, source->file_name);
  while (page && *page) {
    Result<void> sent = co_await x.flush(**page);
    if (!sent) co_return;
    page = co_await next_page(services, source);
  }
  if (!page) {
    log::error("an export was cut", {{"request_id", x.id.to_string()},
                                     {"reason", page.error().message},
                                     {"detail", page.error().detail}});
    co_return;
  }
  Result<void> done = co_await x.finish("");  // or nobody is there
}

Task<void> tell(http::Exchange& x, const Services& services, std::shared_ptr<const Work> json,
                std::shared_ptr<const CsvWork> csv) {
  const Result<Format> format = format_of(x);
  if (!format) {
    co_await answer_error(x, format.error());
    co_return;
  }
  if (*format == Format::json) {
    co_await run_blocking(x, services, json);
    co_return;
  }
  Result<CsvExport> wanted = export_of(request_of(x), *csv);
  if (!wanted) {
    co_await answer_error(x, std::move(wanted).error());
    co_return;
  }
  co_await send_csv(x, services, std::make_shared<const CsvExport>(*std::move(wanted)));
}

}  // namespace

void CsvText::cell(std::string_view text) {
  constexpr std::string_view kFormulaMarks = "=+-@\t\r\n";
  if (row_begun_) text_ += ',';
  row_begun_ = true;
  const bool formula = !text.empty() && kFormulaMarks.find(text[0]) != std::string_view::npos;
  const bool quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quoted) text_ += '"';
  if (formula) text_ += '\'';
  for (const char c : text) {
    if (c == '"') text_ += '"';
    text_ += c;
  }
  if (quoted) text_ += '"';
}

void CsvText::end_row() {
  text_ += "\r\n";
  row_begun_ = false;
}

void CsvText::row(std::initializer_list<std::string_view> cells) {
  for (const std::string_view text : cells) cell(text);
  end_row();
}

http::Handler json_or_csv(const Services& services, Work json, CsvWork csv) {
  auto shared_json = std::make_shared<const Work>(std::move(json));
  auto shared_csv = std::make_shared<const CsvWork>(std::move(csv));
  return [&services, shared_json, shared_csv](http::Exchange& x) {
    return tell(x, services, shared_json, shared_csv);
  };
}

}  // namespace deeppool::webapi
