// Pictures, sounds and documents of a house message as Gemini takes them: inline bytes, or the URI
// of a file that its own storage holds. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::provider::gemini {

// What the API fetches itself: its own files, Cloud Storage, and videos of YouTube.
bool google_fetches(std::string_view url);

// Appends the members of a part for `url`, decoded: `"inlineData":{...}` for a data URL,
// `"fileData":{...}` for what Google fetches by itself. Errors: invalid_request with `param`.
Result<void> append_media(std::string& out, std::string_view url, std::string_view param);

// The same for bytes that came as base64 without a URL around them.
void append_inline(std::string& out, std::string_view media_type, std::string_view base64);

}  // namespace deeppool::provider::gemini
