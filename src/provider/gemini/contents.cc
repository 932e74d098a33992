#include "provider/gemini/contents.h"

#include "base/text.h"
#include "provider/gemini/media.h"

namespace deeppool::provider::gemini {
namespace {

using json::Kind;
using json::Reader;

constexpr std::string_view kUser = "user";
constexpr std::string_view kModel = "model";

// What the API's documentation gives for calls that did not come from it ("Thought signatures",
// FAQ).
constexpr std::string_view kSkipValidator = "skip_thought_signature_validator";

std::string text_part(std::string_view raw, std::string_view signature = {}) {
  std::string part = R"({"text":")";
  part += raw;
  part += '"';
  if (!signature.empty()) part.append(R"(,"thoughtSignature":)").append(signature);
  return part += '}';
}

void append_joined(std::string& list, std::string_view element) {
  if (!list.empty()) list += ',';
  list += element;
}

// The signature (a JSON string) that an answer's text came with.
JsonText text_signature(JsonText details) {
  JsonText signature;
  if (!is_array(details)) return signature;
  Reader reader(details);
  for (json::Elements elements(reader); elements.next();) {
    const JsonText one = take(reader);
    if (member(one, "type") != R"("gemini.thought_signature")") continue;
    const JsonText value = member(one, "signature");
    if (is_string(value)) signature = value;
  }
  return signature;
}

JsonText call_signature(JsonText call) {
  const JsonText google = member(member(call, "extra_content"), "google");
  const JsonText signature = member(google, "thought_signature");
  return is_string(signature) && signature.size() > 2 ? signature : JsonText();
}

std::string audio_type(std::string_view format) {
  return format == "mp3" ? "audio/mpeg" : "audio/" + std::string(format.empty() ? "wav" : format);
}

}  // namespace

std::string ContentsWriter::path(std::string_view member) const {
  return "messages[" + std::to_string(message_) + "]." + std::string(member);
}

void ContentsWriter::close_turn() {
  if (!role_.empty()) contents_ += "]}";
  role_ = {};
}

void ContentsWriter::add_part(std::string_view role, std::string_view part) {
  if (role == role_) {
    contents_ += ',';
  } else {
    close_turn();
    contents_ += contents_.empty() ? R"({"role":")" : R"(,{"role":")";
    contents_ += role;
    contents_ += R"(","parts":[)";
    role_ = role;
  }
  contents_ += part;
}

Result<void> ContentsWriter::add_messages(JsonText messages) {
  Reader reader(messages);
  for (json::Elements elements(reader); elements.next();) {
    message_ = elements.index();
    DP_CHECK(add_message(read_message(take(reader))));
  }
  // A conversation that ends with calls is left as it is: nobody has answered them.
  bool answered = false;
  for (const PendingCall& call : pending_) answered = answered || !call.response.empty();
  if (answered) close_calls();
  pending_.clear();
  return {};
}

ContentsWriter::Message ContentsWriter::read_message(JsonText text) const {
  Message message;
  Reader reader(text);
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    JsonText* place = key == "content"             ? &message.content
                      : key == "tool_calls"        ? &message.tool_calls
                      : key == "function_call"     ? &message.function_call
                      : key == "reasoning_details" ? &message.reasoning_details
                                                   : nullptr;
    std::string* name = key == "role"           ? &message.role
                        : key == "tool_call_id" ? &message.tool_call_id
                        : key == "name"         ? &message.name
                                                : nullptr;
    const JsonText value = take(reader);
    if (place != nullptr) *place = value;
    if (name != nullptr) *name = decoded(value);
    if (key == "is_error") message.failed = value == "true";
  }
  return message;
}

Result<void> ContentsWriter::add_message(const Message& message) {
  const std::string& role = message.role;
  if (role == "tool" || role == "function") return add_tool_result(message);
  if (!pending_.empty()) close_calls();
  if (role == "system" || role == "developer") return add_system(message);
  if (role == "assistant") return add_model(message);
  return add_content(kUser, message.content, {});
}

// Only what stands before the first turn is an instruction; later ones are told by the user.
Result<void> ContentsWriter::add_system(const Message& message) {
  if (!contents_.empty()) return add_content(kUser, message.content, {});
  if (is_string(message.content)) {
    if (message.content.size() > 2) append_joined(system_, text_part(raw_of(message.content)));
    return {};
  }
  if (!is_array(message.content)) return {};
  Reader reader(message.content);
  for (json::Elements parts(reader); parts.next();) {
    part_ = parts.index();
    DP_TRY(const std::string part, part_text(take(reader)));
    if (!part.empty()) append_joined(system_, part);
  }
  return {};
}

// A string, or content parts. Empty texts, which the API refuses, are left out.
Result<void> ContentsWriter::add_content(std::string_view role, JsonText content,
                                         std::string_view signature) {
  if (is_string(content)) {
    if (content.size() > 2) add_part(role, text_part(raw_of(content), signature));
    return {};
  }
  if (!is_array(content)) return {};
  Reader reader(content);
  for (json::Elements parts(reader); parts.next();) {
    part_ = parts.index();
    DP_TRY(const std::string part, part_text(take(reader)));
    if (!part.empty()) add_part(role, part);
  }
  return {};
}

// Empty for a text part without text.
Result<std::string> ContentsWriter::part_text(JsonText part) const {
  const std::string type = decoded(member(part, "type"));
  if (type == "text" || type == "refusal" || type == "input_text" || type == "output_text") {
    const JsonText text = member(part, type == "refusal" ? "refusal" : "text");
    return is_string(text) && text.size() > 2 ? text_part(raw_of(text)) : std::string();
  }
  constexpr std::string_view kMedia[] = {"image_url", "video_url", "input_audio", "file"};
  for (const std::string_view name : kMedia) {
    if (type == name) return media_text(name, member(part, name));
  }
  return Error::invalid(path("content[" + std::to_string(part_) + "].type"),
                        "This model's provider takes no content part of this type.");
}

Result<std::string> ContentsWriter::media_text(std::string_view type, JsonText value) const {
  const std::string param = path("content[" + std::to_string(part_) + "].") + std::string(type);
  std::string part = "{";
  if (type == "input_audio") {
    append_inline(part, audio_type(decoded(member(value, "format"))),
                  decoded(member(value, "data")));
    return part += '}';
  }
  std::string url;
  if (type == "file") {
    url = decoded(member(value, "file_data"));
    if (url.empty()) url = decoded(member(value, "file_id"));
    // Some clients send bare base64, which then is a PDF.
    const bool bare = !url.empty() && url.find(':') == std::string::npos &&
                      !url.starts_with("files/") && !url.starts_with("file-");
    if (bare) url.insert(0, "data:application/pdf;base64,");
  } else {
    url = decoded(is_string(value) ? value : member(value, "url"));
  }
  DP_CHECK(append_media(part, url, param));
  return part += '}';
}

Result<void> ContentsWriter::add_model(const Message& message) {
  DP_CHECK(add_content(kModel, message.content, text_signature(message.reasoning_details)));
  add_calls(message);
  return {};
}

void ContentsWriter::add_calls(const Message& message) {
  if (is_object(message.function_call)) add_call({}, message.function_call, {});
  if (!is_array(message.tool_calls)) return;
  Reader reader(message.tool_calls);
  bool any_signature = false;
  for (json::Elements calls(reader); calls.next();) {
    any_signature = any_signature || !call_signature(take(reader)).empty();
  }
  const std::string skip = '"' + std::string(kSkipValidator) + '"';
  Reader again(message.tool_calls);
  for (json::Elements calls(again); calls.next();) {
    const JsonText call = take(again);
    std::string_view signature = call_signature(call);
    // Of parallel calls only the first is signed.
    const bool missing = replay_ == Replay::signed_calls && !any_signature && calls.index() == 0;
    if (missing) signature = skip;
    add_call(call, member(call, "function"), signature);
  }
}

void ContentsWriter::add_call(JsonText call, JsonText function, std::string_view signature) {
  PendingCall pending;
  pending.id = decoded(member(call, "id"));
  pending.name = decoded(member(function, "name"));
  std::string part = R"({"functionCall":{"name":)";
  base::append_json_string(part, pending.name);
  part += R"(,"args":)";
  part += argument_object(member(function, "arguments"));
  if (replay_ == Replay::signed_calls && !pending.id.empty()) {
    part += R"(,"id":)";
    base::append_json_string(part, pending.id);
  }
  part += '}';
  if (!signature.empty()) part.append(R"(,"thoughtSignature":)").append(signature);
  add_part(kModel, part += '}');
  pending_.push_back(std::move(pending));
}

Result<ContentsWriter::PendingCall*> ContentsWriter::find_call(const Message& message) {
  for (PendingCall& call : pending_) {
    const bool match =
        message.tool_call_id.empty() ? call.name == message.name : call.id == message.tool_call_id;
    if (match && call.response.empty()) return &call;
  }
  return Error::invalid(path("tool_call_id"),
                        "No call of the assistant message before it has this id.");
}

Result<void> ContentsWriter::add_tool_result(const Message& message) {
  DP_TRY(PendingCall* const call, find_call(message));
  const JsonText content = message.content;
  // The two words of the API's description of a FunctionResponse.
  const std::string begin = message.failed ? R"({"error":)" : R"({"result":)";
  if (is_string(content)) {
    if (!message.failed) call->response = object_in(decoded(content));
    if (call->response.empty()) call->response = begin + std::string(content) + "}";
    return {};
  }
  std::string text;  // raw
  if (is_array(content)) {
    Reader reader(content);
    for (json::Elements parts(reader); parts.next();) {
      part_ = parts.index();
      const JsonText part = take(reader);
      const JsonText piece = member(part, "text");
      if (is_string(piece)) {
        text += raw_of(piece);
        continue;
      }
      DP_TRY(const std::string media, part_text(part));
      append_joined(call->media, media);
    }
  }
  call->response = begin + '"' + text + "\"}";
  return {};
}

// The results stand in one turn, in the order of their calls, one for each.
void ContentsWriter::close_calls() {
  std::string media;
  for (const PendingCall& call : pending_) {
    std::string part = R"({"functionResponse":{"name":)";
    base::append_json_string(part, call.name);
    part += R"(,"response":)";
    part += call.response.empty() ? R"({"error":"The tool gave no result."})" : call.response;
    if (replay_ == Replay::signed_calls && !call.id.empty()) {
      part += R"(,"id":)";
      base::append_json_string(part, call.id);
    }
    add_part(kUser, part += "}}");
    if (!call.media.empty()) append_joined(media, call.media);
  }
  if (!media.empty()) add_part(kUser, media);
  pending_.clear();
}

void ContentsWriter::add_answered(std::string_view answered) {
  std::string quoted;
  base::append_json_string(quoted, answered);
  add_part(kModel, text_part(raw_of(quoted)));
}

std::string ContentsWriter::contents() {
  close_turn();
  // There must be a turn: alone, the instruction is one.
  if (contents_.empty()) return R"([{"role":"user","parts":[)" + system_ + "]}]";
  return "[" + contents_ + "]";
}

std::string ContentsWriter::instruction() const {
  if (system_.empty() || contents_.empty()) return {};
  return R"({"parts":[)" + system_ + "]}";
}

}  // namespace deeppool::provider::gemini
