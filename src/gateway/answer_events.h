// The events of a stream as its caller is to see them: house chunks as they are, or put into the
// caller's protocol. Appends only; on the request's loop.
#pragma once

#include <string>

#include "gateway/call.h"
#include "llm/openai/chunk.h"

namespace deeppool::gateway {

// `chunk` is one house chunk (JSON, one line).
void append_chunk(Call& call, std::string_view chunk, std::string& out);
// Where a chat has [DONE].
void append_end(Call& call, std::string& out);
// For callers who ask: where the answer was continued, and by whom.
void append_seams(const Call& call, const llm::ChunkRewriter& chunks, std::string& out);
// In the place of an end.
void append_error(Call& call, const Error& error, std::string& out);

}  // namespace deeppool::gateway
