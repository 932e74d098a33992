#include "provider/gemini/answer.h"

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "json/number.h"
#include "provider/gemini/limits.h"
#include "provider/gemini/logprobs.h"
#include "provider/json_text.h"

namespace deeppool::provider::gemini {

using json::Kind;
using json::Reader;

namespace {

struct Reason {
  std::string_view word;
  Finish finish;
};

// Words that are not here end an answer as `stop` does.
constexpr Reason kReasons[] = {
    {"STOP", Finish::stop},
    {"MAX_TOKENS", Finish::length},
    {"SAFETY", Finish::content_filter},
    {"RECITATION", Finish::content_filter},
    {"BLOCKLIST", Finish::content_filter},
    {"PROHIBITED_CONTENT", Finish::content_filter},
    {"SPII", Finish::content_filter},
    {"LANGUAGE", Finish::content_filter},
    {"IMAGE_SAFETY", Finish::content_filter},
    {"IMAGE_PROHIBITED_CONTENT", Finish::content_filter},
    {"IMAGE_RECITATION", Finish::content_filter},
    {"MALFORMED_FUNCTION_CALL", Finish::failed},
    {"UNEXPECTED_TOOL_CALL", Finish::failed},
    {"TOO_MANY_TOOL_CALLS", Finish::failed},
    {"MISSING_THOUGHT_SIGNATURE", Finish::failed},
    {"MALFORMED_RESPONSE", Finish::failed},
};

void append_joined(std::string& list, std::string_view element) {
  if (!list.empty()) list += ',';
  list += element;
}

// What may stand in the ids that other vendors accept.
std::string id_text(std::string_view raw) {
  std::string text;
  for (const char c : raw.substr(0, kMaxIdBytes)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    text += plain || c == '-' || c == '_' ? c : '_';
  }
  return text;
}

int64_t read_count(Reader& reader) {
  if (reader.peek() != Kind::number) {
    reader.skip();
    return 0;
  }
  const int64_t count = json::to_integer(reader.text(reader.read_number())).value_or(0);
  return std::clamp<int64_t>(count, 0, kMostTokens);
}

// [{"modality":"IMAGE","tokenCount":258}]
void read_modalities(Reader& reader, int64_t& image, int64_t& audio) {
  if (reader.peek() != Kind::array) {
    reader.skip();
    return;
  }
  for (json::Elements elements(reader); elements.next();) {
    if (reader.peek() != Kind::object) {
      reader.skip();
      continue;
    }
    std::string_view modality;
    int64_t count = 0;
    for (json::Members members(reader); members.next();) {
      if (members.key() == "modality" && reader.peek() == Kind::string) {
        modality = reader.text(reader.read_string());
      } else if (members.key() == "tokenCount") {
        count = read_count(reader);
      } else {
        reader.skip();
      }
    }
    if (modality == "IMAGE" || modality == "VIDEO") image += count;
    if (modality == "AUDIO") audio += count;
  }
}

int64_t find_index(Reader at_candidate) {
  int64_t index = 0;
  for (json::Members members(at_candidate); members.next();) {
    if (members.key() == "index") {
      index = read_count(at_candidate);
    } else {
      at_candidate.skip();
    }
  }
  return std::min<int64_t>(index, kMaxCandidates - 1);
}

// A string's raw content; empty for any other value.
std::string_view read_raw(Reader& reader) {
  if (reader.peek() == Kind::string) return reader.text(reader.read_string());
  reader.skip();
  return {};
}

}  // namespace

void CandidatePiece::clear() {
  index = 0;
  for (std::string* text : {&content, &reasoning, &tool_calls, &details, &images, &logprobs}) {
    text->clear();
  }
  finish = Finish::none;
  finish_word.clear();
}

// Of one part: which members it has is known only at its end.
struct AnswerReader::Part {
  std::string_view text;
  std::string_view signature;  // a JSON string
  bool thought = false;
  JsonText call;
  JsonText inline_data;
  JsonText code;
  JsonText code_result;
};

bool AnswerReader::read(std::string_view json) {
  text_ = json;
  count_ = 0;
  usage_at_ = {};
  text_at_ = {};
  part_count_ = 0;
  error_ = {};
  Reader reader(json);
  if (reader.peek() != Kind::object) return false;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const Kind kind = reader.peek();
    if (key == "candidates" && kind == Kind::array) {
      read_candidates(reader);
    } else if (key == "usageMetadata" && kind == Kind::object) {
      usage_at_ = reader.skip();
      remember_usage(reader.text(usage_at_));
    } else if (key == "promptFeedback" && kind == Kind::object) {
      read_feedback(reader);
    } else if (key == "responseId" && kind == Kind::string && response_id_.empty()) {
      response_id_ = id_text(reader.text(reader.read_string()));
    } else if (key == "modelVersion" && kind == Kind::string && model_.empty()) {
      model_ = reader.text(reader.read_string());
    } else if (key == "error" && kind != Kind::null) {
      error_ = reader.text(reader.skip());
    } else {
      reader.skip();
    }
  }
  return reader.finish();
}

const std::string& AnswerReader::response_id() {
  if (response_id_.empty()) {
    // It stands behind the candidates, which ask for it.
    const JsonText id = member(text_, "responseId");
    if (is_string(id)) response_id_ = id_text(raw_of(id));
  }
  if (response_id_.empty()) {
    base::SystemRandom random;
    response_id_ = std::to_string(random.next_u64());
  }
  return response_id_;
}

int& AnswerReader::call_count(int64_t index) {
  const auto i = static_cast<size_t>(std::clamp<int64_t>(index, 0, kMaxCandidates - 1));
  if (i >= calls_.size()) calls_.resize(i + 1);
  return calls_[i];
}

int AnswerReader::calls_of(int64_t index) const {
  const auto i = static_cast<size_t>(std::clamp<int64_t>(index, 0, kMaxCandidates - 1));
  return i < calls_.size() ? calls_[i] : 0;
}

void AnswerReader::read_candidates(Reader& reader) {
  for (json::Elements elements(reader); elements.next();) {
    if (reader.peek() != Kind::object || count_ == static_cast<size_t>(kMaxCandidates)) {
      reader.skip();
      continue;
    }
    read_candidate(reader);
  }
}

void AnswerReader::read_candidate(Reader& reader) {
  if (count_ == pieces_.size()) pieces_.emplace_back();
  CandidatePiece& piece = pieces_[count_++];
  piece.clear();
  const Reader start = reader;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const Kind kind = reader.peek();
    if (key == "content" && kind == Kind::object) {
      read_content(reader, start, piece);
    } else if (key == "index") {
      piece.index = std::min<int64_t>(read_count(reader), kMaxCandidates - 1);
    } else if (key == "finishReason" && kind == Kind::string) {
      read_finish(reader, piece);
    } else if (key == "logprobsResult" && kind == Kind::object) {
      append_logprobs(piece.logprobs, take(reader));
    } else {
      reader.skip();
    }
  }
}

void AnswerReader::read_finish(Reader& reader, CandidatePiece& piece) const {
  const std::string_view word = read_raw(reader);
  if (word.empty() || word == "FINISH_REASON_UNSPECIFIED") return;
  piece.finish_word = word;
  piece.finish = Finish::stop;
  for (const Reason& reason : kReasons) {
    if (reason.word == word) piece.finish = reason.finish;
  }
}

void AnswerReader::read_content(Reader& reader, const Reader& candidate, CandidatePiece& piece) {
  for (json::Members members(reader); members.next();) {
    if (members.key() != "parts" || reader.peek() != Kind::array) {
      reader.skip();
      continue;
    }
    for (json::Elements parts(reader); parts.next();) {
      if (reader.peek() == Kind::object) {
        const Part part = read_part(reader);
        // The index stands behind the parts, but calls are counted by it.
        if (!part.call.empty()) piece.index = find_index(candidate);
        add_part(part, piece);
      } else {
        reader.skip();
      }
    }
  }
}

AnswerReader::Part AnswerReader::read_part(Reader& reader) {
  Part part;
  ++part_count_;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const Kind kind = reader.peek();
    if (key == "text" && kind == Kind::string) {
      text_at_ = reader.read_string().raw;
      part.text = reader.text(text_at_);
    } else if (key == "thought" && kind == Kind::boolean) {
      part.thought = reader.read_bool();
    } else if (key == "thoughtSignature" && kind == Kind::string) {
      part.signature = take(reader);
    } else if (key == "functionCall") {
      part.call = take(reader);
    } else if (key == "inlineData") {
      part.inline_data = take(reader);
    } else if (key == "executableCode") {
      part.code = take(reader);
    } else if (key == "codeExecutionResult") {
      part.code_result = take(reader);
    } else {
      reader.skip();
    }
  }
  return part;
}

void AnswerReader::add_part(const Part& part, CandidatePiece& piece) {
  (part.thought ? piece.reasoning : piece.content) += part.text;
  if (is_object(part.call)) return add_call(part, piece);
  if (is_object(part.inline_data)) {
    const JsonText type = member(part.inline_data, "mimeType");
    const JsonText bytes = member(part.inline_data, "data");
    if (is_string(type) && is_string(bytes)) {
      append_joined(piece.images, R"({"type":"image_url","image_url":{"url":"data:)");
      piece.images.append(raw_of(type)).append(";base64,").append(raw_of(bytes)).append("\"}}");
    }
  } else if (is_object(part.code)) {
    const JsonText code = member(part.code, "code");
    if (is_string(code)) piece.content.append("\\n```\\n").append(raw_of(code)).append("\\n```\\n");
  } else if (is_object(part.code_result)) {
    const JsonText said = member(part.code_result, "output");
    if (is_string(said)) piece.content.append("\\n```\\n").append(raw_of(said)).append("\\n```\\n");
  }
  if (part.signature.empty()) return;
  append_joined(piece.details, R"({"type":"gemini.thought_signature","signature":)");
  piece.details.append(part.signature).append("}");
}

void AnswerReader::add_call(const Part& part, CandidatePiece& piece) {
  const JsonText id = member(part.call, "id");
  const JsonText name = member(part.call, "name");
  const JsonText args = member(part.call, "args");
  std::string& out = piece.tool_calls;
  append_joined(out, R"({"index":)");
  base::append_int(out, call_count(piece.index)++);
  out += R"(,"id":")";
  if (is_string(id) && id.size() > 2) {
    out += raw_of(id);
  } else {
    out.append("call_").append(response_id()).append("_");
    base::append_int(out, next_call_++);
  }
  out += R"(","type":"function","function":{"name":)";
  out += is_string(name) ? name : std::string_view("\"\"");
  out += R"(,"arguments":)";
  base::append_json_string(out, is_object(args) ? args : std::string_view("{}"));
  out += '}';
  if (!part.signature.empty()) {
    out.append(R"(,"extra_content":{"google":{"thought_signature":)").append(part.signature);
    out += "}}";
  }
  out += '}';
}

void AnswerReader::read_feedback(Reader& reader) {
  for (json::Members members(reader); members.next();) {
    if (members.key() == "blockReason") {
      blocked_ = !read_raw(reader).empty();
    } else {
      reader.skip();
    }
  }
}

// Thoughts stand beside the candidates' tokens, what came from the cache inside the prompt's.
std::optional<llm::Usage> AnswerReader::usage() const {
  if (usage_json_.empty()) return std::nullopt;
  Reader reader(usage_json_.view());
  llm::Usage usage;
  int64_t thoughts = 0;
  int64_t tool_prompt = 0;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "promptTokenCount") {
      usage.prompt_tokens = read_count(reader);
    } else if (key == "candidatesTokenCount") {
      usage.completion_tokens = read_count(reader);
    } else if (key == "thoughtsTokenCount") {
      thoughts = read_count(reader);
    } else if (key == "cachedContentTokenCount") {
      usage.cached_tokens = read_count(reader);
    } else if (key == "toolUsePromptTokenCount") {
      tool_prompt = read_count(reader);
    } else if (key == "promptTokensDetails") {
      read_modalities(reader, usage.image_input_tokens, usage.audio_input_tokens);
    } else if (key == "candidatesTokensDetails") {
      read_modalities(reader, usage.image_output_tokens, usage.audio_output_tokens);
    } else {
      reader.skip();
    }
  }
  usage.prompt_tokens += tool_prompt;
  usage.completion_tokens += thoughts;
  usage.reasoning_tokens = thoughts;
  usage.cached_tokens = std::min(usage.cached_tokens, usage.prompt_tokens);
  const int64_t fresh = usage.prompt_tokens - usage.cached_tokens;
  usage.audio_input_tokens = std::min(usage.audio_input_tokens, fresh);
  usage.image_input_tokens = std::min(usage.image_input_tokens, fresh - usage.audio_input_tokens);
  const int64_t said = usage.completion_tokens - thoughts;
  usage.audio_output_tokens = std::min(usage.audio_output_tokens, said);
  usage.image_output_tokens = std::min(usage.image_output_tokens, said - usage.audio_output_tokens);
  return usage;
}

}  // namespace deeppool::provider::gemini
