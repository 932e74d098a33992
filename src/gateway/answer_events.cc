#include "gateway/answer_events.h"

#include "base/text.h"
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

void append_seams(const Call& call, const llm::ChunkRewriter& chunks, std::string& out) {
  std::string members = R"("deeppool":{"seams":[)";
  for (const Seam& seam : call.seams) {
    if (members.back() != '[') members += ',';
    members += R"({"how":")";
    members += to_string(seam.how);
    members += R"(","after_bytes":)";
    base::append_int(members, seam.said_bytes);
    members += R"(,"broken":)";
    base::append_json_string(members, seam.broken);
    members += R"(,"went_on":)";
    base::append_json_string(members, seam.went_on);
    members += '}';
  }
  http::append_sse_data(out, chunks.note_chunk(members + "]}"));
}

}  // namespace deeppool::gateway
