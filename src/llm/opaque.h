// What a model's vendor wants back with the next turn, as one word that a caller of another
// protocol keeps without a look at it: a marked, URL-safe base64 of the JSON. Not a secret: what
// comes back is checked like any other part of a request.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/padded.h"

namespace deeppool::llm {

std::string to_opaque(std::string_view json);
// The JSON (valid, one value); nothing if the word is not one of ours.
std::optional<json::PaddedBytes> from_opaque(std::string_view word);

}  // namespace deeppool::llm
