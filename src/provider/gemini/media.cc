#include "provider/gemini/media.h"

#include "base/text.h"

namespace deeppool::provider::gemini {

bool google_fetches(std::string_view url) {
  constexpr std::string_view kPrefixes[] = {"https://generativelanguage.googleapis.com/", "gs://",
                                            "https://www.youtube.com/watch?", "https://youtu.be/",
                                            "files/"};
  for (const std::string_view prefix : kPrefixes) {
    if (url.starts_with(prefix)) return true;
  }
  return false;
}

void append_inline(std::string& out, std::string_view media_type, std::string_view base64) {
  out += R"("inlineData":{"mimeType":)";
  base::append_json_string(out, media_type);
  out += R"(,"data":)";
  base::append_json_string(out, base64);
  out += '}';
}

Result<void> append_media(std::string& out, std::string_view url, std::string_view param) {
  if (google_fetches(url)) {
    out += R"("fileData":{"fileUri":)";
    base::append_json_string(out, url);
    out += '}';
    return {};
  }
  const size_t comma = url.find(',');
  if (!url.starts_with("data:") || comma == std::string_view::npos) {
    return Error::invalid(std::string(param),
                          "This model's provider fetches no URLs. Send a data URL.");
  }
  std::string_view about = url.substr(5, comma - 5);
  const std::string_view content = url.substr(comma + 1);
  const bool base64 = about.ends_with(";base64");
  about = about.substr(0, about.find(';'));
  const std::string_view type = about.empty() ? std::string_view("text/plain") : about;
  if (base64) {
    append_inline(out, type, content);
    return {};
  }
  const std::optional<std::string> bytes = base::percent_decode(content);
  if (!bytes) return Error::invalid(std::string(param), "The data URL is not well-formed.");
  append_inline(out, type, base::base64_encode(*bytes));
  return {};
}

}  // namespace deeppool::provider::gemini
