#include "provider/gemini/house_text.h"

#include "base/text.h"
#include "provider/json_text.h"

namespace deeppool::provider::gemini {

void append_thoughts(std::string& out, const CandidatePiece& piece) {
  if (piece.reasoning.empty()) return;
  out.append(R"(,"reasoning_content":")").append(piece.reasoning).append("\"");
}

void append_extra_members(std::string& out, const CandidatePiece& piece) {
  if (!piece.details.empty()) {
    out.append(R"(,"reasoning_details":[)").append(piece.details).append("]");
  }
  if (!piece.images.empty()) out.append(R"(,"images":[)").append(piece.images).append("]");
  if (!piece.tool_calls.empty()) {
    out.append(R"(,"tool_calls":[)").append(piece.tool_calls).append("]");
  }
}

std::string_view finish_text(Finish finish, int calls) {
  switch (finish) {
    case Finish::none:
      return "null";
    case Finish::length:
      return R"("length")";
    case Finish::content_filter:
      return R"("content_filter")";
    case Finish::stop:
    case Finish::failed:
      break;
  }
  return calls > 0 ? R"("tool_calls")" : R"("stop")";
}

std::string broken_answer(std::string_view word) {
  std::string text = R"({"error":{"message":"the answer ended with )";
  text += word;
  text += R"(","type":"upstream_error","code":")";
  text += word;
  return text += "\"}}";
}

std::string house_error(std::string_view error) {
  std::string text = R"({"error":{"message":)";
  const JsonText message = member(error, "message");
  const JsonText status = member(error, "status");
  const JsonText code = member(error, "code");
  text += is_string(message) ? message : is_string(error) ? error : JsonText("\"\"");
  text += R"(,"type":)";
  text += is_string(status) ? status : JsonText("null");
  text += R"(,"code":")";
  text += is_string(code) ? raw_of(code) : code;
  return text += "\"}}";
}

}  // namespace deeppool::provider::gemini
