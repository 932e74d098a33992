#include "provider/gemini/response.h"

#include "base/text.h"
#include "provider/gemini/answer.h"
#include "provider/gemini/house_text.h"

namespace deeppool::provider::gemini {
namespace {

void append_choice(std::string& out, const CandidatePiece& piece, int calls) {
  out += R"({"index":)";
  base::append_int(out, piece.index);
  out += R"(,"message":{"role":"assistant")";
  append_thoughts(out, piece);
  out += R"(,"content":)";
  const bool silent = piece.content.empty() && calls > 0;
  if (silent) {
    out += "null";
  } else {
    out.append("\"").append(piece.content).append("\"");
  }
  out += R"(,"refusal":null)";
  append_extra_members(out, piece);
  out += R"(},"logprobs":)";
  if (piece.logprobs.empty()) {
    out += "null";
  } else {
    out.append(R"({"content":[)").append(piece.logprobs).append(R"(],"refusal":null})");
  }
  out += R"(,"finish_reason":)";
  const Finish finish = piece.finish == Finish::none ? Finish::stop : piece.finish;
  out += finish_text(finish, calls);
  out += '}';
}

}  // namespace

Result<json::PaddedBytes> whole_answer(const json::PaddedBytes& body, int64_t created) {
  AnswerReader answer;
  const auto unreadable = [](const char* detail) {
    return Error(ErrorCode::upstream_failed, "The upstream's answer could not be read.", detail);
  };
  if (!answer.read(body.view())) return unreadable("not a JSON object");
  if (!answer.error().empty()) return json::PaddedBytes(house_error(answer.error()));
  std::string out = R"({"id":"chatcmpl-)" + answer.response_id();
  out += R"(","object":"chat.completion","created":)";
  base::append_int(out, created);
  out += R"(,"model":")" + answer.model() + R"(","choices":[)";
  const size_t empty = out.size();
  for (const CandidatePiece& piece : answer.candidates()) {
    if (piece.finish == Finish::failed) return json::PaddedBytes(broken_answer(piece.finish_word));
    if (out.size() > empty) out += ',';
    append_choice(out, piece, answer.calls_of(piece.index));
  }
  if (answer.candidates().empty()) {
    if (!answer.blocked()) return unreadable("neither candidates nor a reason for none");
    CandidatePiece refused;
    refused.finish = Finish::content_filter;
    append_choice(out, refused, 0);
  }
  out += ']';
  if (const auto usage = answer.usage()) {
    out += R"(,"usage":)";
    llm::append_usage_json(out, *usage);
  }
  out += '}';
  return json::PaddedBytes(out);
}

}  // namespace deeppool::provider::gemini
