// The content of one house message (a string or parts) as Anthropic's blocks. Used while a request
// is translated; reads JSON that parse_request() accepted.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "json/reader.h"
#include "provider/anthropic/block.h"

namespace deeppool::provider::anthropic {

// The value that comes next in `reader`. `path` is the content's own, for errors
// ("messages[2].content"). Blank texts are left out, for Anthropic refuses them. Errors:
// invalid_request for parts that it has no word for.
Result<std::vector<Block>> read_content(json::Reader& reader, const std::string& path);

// For a value that is wanted as raw text and may be anything: what stands between the quotes of a
// string; empty for the rest. Consumes it.
std::string_view read_raw_string(json::Reader& reader);

}  // namespace deeppool::provider::anthropic
