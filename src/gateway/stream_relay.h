// The relay of one open stream to the caller: events in, events out, one write per piece that came.
// Awaiting the write is the back-pressure; a silent upstream gets the caller a comment; a broken
// one an error event.
#pragma once

#include "gateway/attempts.h"
#include "gateway/call.h"

namespace deeppool::gateway {

// Ends with the call finished, whatever happens.
Task<void> relay_stream(Call& call, std::unique_ptr<OpenStream> stream);

}  // namespace deeppool::gateway
