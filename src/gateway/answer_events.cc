#include "gateway/answer_events.h"

#include "gateway/openai_error.h"
#include "http/sse.h"

namespace deeppool::gateway {

void append_chunk(Call& call, std::string_view chunk, std::string& out) {
  if (!call.encoder) {
    http::append_sse_data(out, chunk);
    return;
  }
  const json::PaddedBytes padded(chunk);
  call.encoder->chunk(padded.view(), out);
}

void append_end(Call& call, std::string& out) {
  if (call.encoder) {
    call.encoder->end(out);
  } else {
    out += http::kSseDone;
  }
}

void append_error(Call& call, const Error& error, std::string& out) {
  if (!call.encoder) {
    http::append_sse_data(out, openai_error_body(error));
    return;
  }
  const OpenAiError row = openai_error(error.code);
  const auto request_id = call.x.id.spell();
  call.encoder->error({.status = row.status,
                       .message = error.message,
                       .type = row.type,
                       .code = row.code,
                       .param = error.param,
                       .request_id = {request_id.data(), request_id.size()}},
                      out);
}

}  // namespace deeppool::gateway
