#include "llm/responses/encoder.h"

#include "json/shallow.h"
#include "llm/json_out.h"
#include "llm/opaque.h"
#include "llm/usage.h"

namespace deeppool::llm::responses {

namespace {

std::string_view name_of_part(Asked::Reasoning reasoning) {
  return reasoning == Asked::Reasoning::summary ? "summary_text" : "reasoning_text";
}

// {"type":"<type>","text":"<text>"<more>}
std::string text_part(std::string_view type, std::string_view text, std::string_view more) {
  std::string part = R"({"type":")";
  part.append(type).append(R"(","text":")").append(text).append("\"").append(more).append("}");
  return part;
}

constexpr std::string_view kOutputMore = R"(,"annotations":[],"logprobs":[])";

void write_usage(std::string& out, std::string_view house) {
  const json::PaddedBytes padded(house);
  const Usage usage = read_usage(padded.view()).value_or(Usage());
  const std::string_view cost = json::ShallowObject(json::Value{padded.view()})["cost"].text;
  JsonOut json(out);
  json.object();
  json.number("input_tokens", usage.prompt_tokens);
  json.key("input_tokens_details");
  json.object();
  json.number("cached_tokens", usage.cached_tokens);
  json.number("cache_write_tokens", usage.cache_write_tokens);
  json.end_object();
  json.number("output_tokens", usage.completion_tokens);
  json.key("output_tokens_details");
  json.object();
  json.number("reasoning_tokens", usage.reasoning_tokens);
  json.end_object();
  json.number("total_tokens", usage.total());
  if (!cost.empty()) json.json("cost", cost);
  json.end_object();
}

}  // namespace

ResponsesEncoder::ResponsesEncoder(std::string id, Asked asked)
    : id_(std::move(id)), asked_(std::move(asked)), parts_(*this) {}

void ResponsesEncoder::chunk(std::string_view house_json, std::string& out) {
  HouseAnswer answer;
  if (!read_house_answer(house_json, answer)) return;
  out_ = &out;
  if (!started_) start(answer);
  note(answer);
  parts_.feed(answer);
}

void ResponsesEncoder::start(const HouseAnswer& first) {
  started_ = true;
  model_ = first.model;
  if (!first.created.empty()) created_ = first.created;
  response_event("response.created", Status::in_progress);
  response_event("response.in_progress", Status::in_progress);
}

void ResponsesEncoder::note(const HouseAnswer& answer) {
  if (!answer.finish_reason.empty()) finish_reason_ = answer.finish_reason;
  if (!answer.usage.empty()) usage_ = answer.usage;
  if (!answer.deeppool.empty()) deeppool_ = answer.deeppool;
}

ResponsesEncoder::Status ResponsesEncoder::ending() const {
  const bool cut = finish_reason_ == "length" || finish_reason_ == "content_filter";
  return cut ? Status::incomplete : Status::completed;
}

void ResponsesEncoder::end(std::string& out) {
  out_ = &out;
  if (!started_) start({});
  parts_.close();
  const Status status = ending();
  response_event(status == Status::completed ? "response.completed" : "response.incomplete",
                 status);
}

// Some clients go by the one event, some by the other; those of OpenAI throw at the first.
void ResponsesEncoder::error(const ErrorText& error, std::string& out) {
  out_ = &out;
  if (!started_) start({});
  std::string fields;
  JsonOut json(fields);
  json.string("code", error.code);
  json.string("message", error.message);
  json.key("param");
  if (error.param.empty()) {
    json.json("null");
  } else {
    json.string(error.param);
  }
  std::string type;
  base::append_json_string(type, error.type);
  event("error", "," + fields + ",\"error\":{\"type\":" + type + "," + fields + "}");
  const bool limited = error.code == "rate_limit_exceeded";
  error_ = limited ? R"({"code":"rate_limit_exceeded","message":)"
                   : R"({"code":"server_error","message":)";
  base::append_json_string(error_, error.message);
  error_ += '}';
  response_event("response.failed", Status::failed);
}

// The events go nowhere; the items that they would have filled are the answer.
Result<std::string> ResponsesEncoder::whole(const json::PaddedBytes& house_answer) {
  HouseAnswer answer;
  if (!read_house_answer(house_answer.view(), answer) || !answer.has_choices) {
    return Error(ErrorCode::internal, "The answer could not be put into the caller's protocol.",
                 "no chat completion");
  }
  std::string events;
  out_ = &events;
  start(answer);
  note(answer);
  parts_.feed_whole(answer);
  parts_.close();
  std::string response;
  write_response(response, ending());
  return response;
}

void ResponsesEncoder::begin_event(std::string_view type) {
  ((*out_ += "event: ") += type) += "\ndata: {\"type\":\"";
  (*out_ += type) += "\",\"sequence_number\":";
  base::append_int(*out_, sequence_++);
}

void ResponsesEncoder::event(std::string_view type, std::string_view members) {
  begin_event(type);
  *out_ += members;
  end_event();
}

void ResponsesEncoder::response_event(std::string_view type, Status status) {
  begin_event(type);
  *out_ += ",\"response\":";
  write_response(*out_, status);
  end_event();
}

void ResponsesEncoder::write_response(std::string& out, Status status) const {
  constexpr std::string_view kNames[] = {"in_progress", "completed", "incomplete", "failed"};
  out.append(R"({"id":"resp_)").append(id_);
  out.append(R"(","object":"response","created_at":)").append(created_);
  out.append(R"(,"status":")").append(kNames[static_cast<size_t>(status)]);
  out.append(R"(","background":false,"error":)").append(error_.empty() ? "null" : error_);
  out.append(R"(,"incomplete_details":)");
  if (status == Status::incomplete) {
    const bool filtered = finish_reason_ == "content_filter";
    out.append(R"({"reason":")").append(filtered ? "content_filter" : "max_output_tokens");
    out.append("\"}");
  } else {
    out.append("null");
  }
  out.append(R"(,"model":")").append(model_).append("\",").append(asked_.repeated);
  out.append(R"("previous_response_id":null,"store":false,"output":[)").append(output_);
  out.append(R"(],"usage":)");
  if (usage_.empty()) {
    out.append("null");
  } else {
    write_usage(out, usage_);
  }
  if (!deeppool_.empty()) out.append(R"(,"deeppool":)").append(deeppool_);
  out.append("}");
}

void ResponsesEncoder::begin_item(std::string_view id_prefix) {
  ++output_index_;
  text_.clear();
  item_id_.assign(id_prefix).append(id_).append("_");
  base::append_int(item_id_, output_index_);
}

// `,"item_id":...,"output_index":...`
std::string ResponsesEncoder::place() const {
  std::string members = R"(,"item_id":")" + item_id_ + R"(","output_index":)";
  base::append_int(members, output_index_);
  return members;
}

void ResponsesEncoder::add_item(const std::string& item) {
  event("response.output_item.added",
        ",\"output_index\":" + std::to_string(output_index_) + ",\"item\":" + item);
}

void ResponsesEncoder::end_item(const std::string& item) {
  event("response.output_item.done",
        ",\"output_index\":" + std::to_string(output_index_) + ",\"item\":" + item);
  if (!output_.empty()) output_ += ',';
  output_ += item;
}

void ResponsesEncoder::begin_pieces(std::string_view type, std::string_view index,
                                    std::string_view tail) {
  piece_head_ = "event: ";
  piece_head_.append(type).append("\ndata: {\"type\":\"").append(type);
  piece_head_.append("\",\"sequence_number\":");
  piece_place_ = place();
  piece_place_.append(index).append(",\"delta\":\"");
  piece_tail_ = tail;
}

void ResponsesEncoder::piece(std::string_view escaped) {
  *out_ += piece_head_;
  base::append_int(*out_, sequence_++);
  ((*out_ += piece_place_) += escaped) += piece_tail_;
  text_ += escaped;
}

void ResponsesEncoder::begin_reasoning() {
  begin_item("rs_");
  add_item(reasoning_item({}, {}));
  const std::string part = text_part(name_of_part(asked_.reasoning), {}, {});
  if (asked_.reasoning == Asked::Reasoning::summary) {
    event("response.reasoning_summary_part.added",
          place() + ",\"summary_index\":0,\"part\":" + part);
    begin_pieces("response.reasoning_summary_text.delta", ",\"summary_index\":0", "\"}\n\n");
  } else {
    event("response.content_part.added", place() + ",\"content_index\":0,\"part\":" + part);
    begin_pieces("response.reasoning_text.delta", ",\"content_index\":0", "\"}\n\n");
  }
}

void ResponsesEncoder::reasoning(std::string_view escaped) {
  piece(escaped);
}

void ResponsesEncoder::end_reasoning(std::string_view signature) {
  const bool summary = asked_.reasoning == Asked::Reasoning::summary;
  const std::string part = text_part(name_of_part(asked_.reasoning), text_, {});
  const std::string index = summary ? ",\"summary_index\":0" : ",\"content_index\":0";
  event(summary ? "response.reasoning_summary_text.done" : "response.reasoning_text.done",
        place() + index + ",\"text\":\"" + text_ + "\"");
  event(summary ? "response.reasoning_summary_part.done" : "response.content_part.done",
        place() + index + ",\"part\":" + part);
  std::string detail = R"({"type":"thinking","thinking":")" + text_ + "\"";
  if (!signature.empty()) detail.append(R"(,"signature":")").append(signature).append("\"");
  end_item(reasoning_item(part, detail + "}"));
}

// `part`: what is shown, `detail`: what the next turn needs; both may be empty.
std::string ResponsesEncoder::reasoning_item(std::string_view part, std::string_view detail) const {
  const bool summary = asked_.reasoning == Asked::Reasoning::summary;
  std::string item = R"({"id":")" + item_id_ + R"(","type":"reasoning","summary":[)";
  if (summary) item += part;
  item += ']';
  if (!summary && !part.empty()) item.append(",\"content\":[").append(part).append("]");
  if (asked_.encrypted_reasoning && !detail.empty()) {
    const std::string details = "[" + std::string(detail) + "]";
    item.append(R"(,"encrypted_content":")").append(to_opaque(details)).append("\"");
  }
  return item + "}";
}

// An item that shows nothing, for those who keep what they are given.
void ResponsesEncoder::kept_reasoning(std::string_view detail) {
  if (!asked_.encrypted_reasoning) return;
  begin_item("rs_");
  add_item(reasoning_item({}, {}));
  end_item(reasoning_item({}, detail));
}

void ResponsesEncoder::redacted(std::string_view data) {
  kept_reasoning(R"({"type":"redacted_thinking","data":")" + std::string(data) + "\"}");
}

void ResponsesEncoder::opaque(std::string_view json) {
  kept_reasoning(json);
}

std::string ResponsesEncoder::text_item(std::string_view status, std::string_view content) const {
  std::string item = R"({"id":")" + item_id_ + R"(","type":"message","status":")";
  item.append(status).append(R"(","role":"assistant","content":[)").append(content).append("]}");
  return item;
}

void ResponsesEncoder::begin_text() {
  begin_item("msg_");
  add_item(text_item("in_progress", {}));
  event("response.content_part.added",
        place() + ",\"content_index\":0,\"part\":" + text_part("output_text", {}, kOutputMore));
  begin_pieces("response.output_text.delta", ",\"content_index\":0", "\",\"logprobs\":[]}\n\n");
}

void ResponsesEncoder::text(std::string_view escaped) {
  piece(escaped);
}

void ResponsesEncoder::end_text() {
  event("response.output_text.done",
        place() + ",\"content_index\":0,\"text\":\"" + text_ + "\",\"logprobs\":[]");
  const std::string part = text_part("output_text", text_, kOutputMore);
  event("response.content_part.done", place() + ",\"content_index\":0,\"part\":" + part);
  end_item(text_item(ending() == Status::incomplete ? "incomplete" : "completed", part));
}

std::string ResponsesEncoder::call_item(std::string_view status) const {
  std::string item = R"({"id":")" + item_id_ + R"(","type":"function_call","status":")";
  item.append(status).append(R"(","call_id":")").append(call_id_);
  item.append(R"(","name":")").append(call_name_);
  item.append(R"(","arguments":")").append(text_).append("\"}");
  return item;
}

void ResponsesEncoder::begin_tool(std::string_view id, std::string_view name) {
  begin_item("fc_");
  call_id_ = id.empty() ? "call_" + item_id_ : std::string(id);
  call_name_ = name;
  add_item(call_item("in_progress"));
  begin_pieces("response.function_call_arguments.delta", {}, "\"}\n\n");
}

void ResponsesEncoder::tool_arguments(std::string_view escaped) {
  piece(escaped);
}

void ResponsesEncoder::end_tool() {
  if (text_.empty()) text_ = "{}";  // JSON in any case
  event("response.function_call_arguments.done",
        place() + R"(,"name":")" + call_name_ + R"(","arguments":")" + text_ + "\"");
  end_item(call_item(ending() == Status::incomplete ? "incomplete" : "completed"));
}

}  // namespace deeppool::llm::responses
