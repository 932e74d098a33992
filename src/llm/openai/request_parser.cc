#include "llm/openai/request_parser.h"

#include "json/number.h"
#include "llm/field_path.h"
#include "llm/limits.h"

namespace deeppool::llm {

using json::Kind;

namespace {

std::string_view input_field(Api api) {
  switch (api) {
    case Api::chat_completions:
      return "messages";
    case Api::completions:
      return "prompt";
    case Api::embeddings:
      return "input";
  }
  return "";
}

}  // namespace

RequestParser::RequestParser(Api api, const json::PaddedBytes& body, const Tokenizer* tokenizer,
                             int64_t counted_bytes)
    : reader_(body.view()), tokenizer_(tokenizer), counted_bytes_(counted_bytes) {
  view_.api = api;
}

int64_t RequestParser::counted_tokens() const {
  const int64_t all = view_.features.text_bytes;
  if (counted_text_ == 0 || counted_text_ == all) return counted_tokens_;
  return static_cast<int64_t>(static_cast<double>(counted_tokens_) * static_cast<double>(all) /
                              static_cast<double>(counted_text_));
}

Error RequestParser::error() const {
  if (error_) return *error_;
  return Error(ErrorCode::invalid_request,
               "The request body is not valid JSON: " + std::string(reader_.error_reason()) +
                   " at byte " + std::to_string(reader_.error_position()) + ".");
}

bool RequestParser::refuse(std::string param, std::string what) {
  if (reader_.ok() && !error_) {
    std::string message = "Invalid value for '" + param + "': " + what + ".";
    error_ = Error::invalid(std::move(param), std::move(message));
  }
  return false;
}

bool RequestParser::expect(Kind kind, std::string_view param) {
  const Kind found = reader_.peek();
  if (found == kind) return true;
  return refuse(std::string(param),
                "expected " + std::string(name_of(kind)) + ", got " + std::string(name_of(found)));
}

bool RequestParser::take_null() {
  if (reader_.peek() != Kind::null) return false;
  reader_.skip();
  return reader_.ok();
}

bool RequestParser::parse() {
  json::Members members(reader_);
  while (members.next()) {
    const Field* field = find_field(view_.api, members.key());
    if (field == nullptr) {
      const std::string_view key = members.key();
      view_.notes.extensions = view_.notes.extensions || key == "anthropic" || key == "gemini";
      skip_other();
      continue;
    }
    const uint64_t bit = uint64_t{1} << field->bit;
    if ((seen_ & bit) != 0) return refuse(std::string(field->name), "the field is given twice");
    seen_ |= bit;
    if (!read_field(*field)) return false;
  }
  view_.close_brace = members.close();
  view_.fields = seen_;
  return reader_.finish() && check_whole();
}

// What only shows once every field was seen.
bool RequestParser::check_whole() {
  if (view_.model.empty()) return refuse("model", "the field is required");
  if (!has_input_) return refuse(std::string(input_field(view_.api)), "the field is required");
  if (has_stream_options_ && !view_.stream) {
    return refuse("stream_options", "only allowed when 'stream' is true");
  }
  if (max_completion_tokens_) {
    view_.two_limits = view_.max_tokens && view_.max_tokens != max_completion_tokens_;
    view_.max_tokens = max_completion_tokens_;
  }
  view_.features.has_reasoning = effort_ ? *effort_ : thinking_.value_or(false);
  return true;
}

bool RequestParser::read_field(const Field& field) {
  switch (field.shape) {
    case Shape::model:
      return read_model();
    case Shape::messages:
      view_.prompt_begin = reader_.position();
      return read_messages();
    case Shape::prompt:
    case Shape::input:
      view_.prompt_begin = reader_.position();
      return read_prompt(field.name);
    case Shape::stream:
      return read_stream();
    case Shape::stream_options:
      return read_stream_options();
    case Shape::max_tokens:
      return read_limit(field.name, view_.max_tokens, view_.max_tokens_value);
    case Shape::max_completion_tokens:
      return read_limit(field.name, max_completion_tokens_, view_.max_completion_tokens_value);
    case Shape::choices:
      return read_choices(field.name, view_.n);
    case Shape::best_of:
      return read_choices(field.name, view_.best_of);
    case Shape::positive: {
      std::optional<int64_t> ignored;
      return read_count(field.name, kMaxTokens, ignored);
    }
    case Shape::text:
      return read_field_text(field.name);
    case Shape::stop:
      return read_stop();
    case Shape::tools:
    case Shape::functions:
      return read_tools(field.name);
    case Shape::schema_text:
      return read_response_format();
    case Shape::reasoning_effort:
      return read_reasoning_effort();
    case Shape::enable_thinking:
      return read_enable_thinking();
    case Shape::encoding_format:
      return read_encoding_format();
    default:
      return read_generic(field);
  }
}

bool RequestParser::read_generic(const Field& field) {
  if (take_null()) return true;
  const std::string_view name = field.name;
  const Kind kind = reader_.peek();
  const auto either = [&](Kind a, Kind b) {
    if (kind == a || kind == b) return true;
    return refuse(std::string(name), "expected " + std::string(name_of(a)) + " or " +
                                         std::string(name_of(b)) + ", got " +
                                         std::string(name_of(kind)));
  };
  bool good = true;
  switch (field.shape) {
    case Shape::boolean:
      good = expect(Kind::boolean, name);
      break;
    case Shape::number:
    case Shape::integer:
      good = expect(Kind::number, name);
      break;
    case Shape::string:
      good = expect(Kind::string, name);
      break;
    case Shape::object:
      good = expect(Kind::object, name);
      break;
    case Shape::array:
      good = expect(Kind::array, name);
      break;
    case Shape::string_or_object:
      good = either(Kind::string, Kind::object);
      break;
    default:
      break;
  }
  if (!good) return false;
  if (kind != Kind::number && kind != Kind::boolean) {
    skip_other();
    return reader_.ok();
  }
  const std::string_view value = reader_.text(reader_.skip());
  if (!reader_.ok()) return false;
  if (field.shape == Shape::integer && !json::to_integer(value)) {
    return refuse(std::string(name), "expected an integer");
  }
  if (field.shape == Shape::number && !json::to_double(value)) {
    return refuse(std::string(name), "the number is out of range");
  }
  if (name == "seed" || (name == "temperature" && json::to_double(value) == 0.0)) {
    view_.repeatable = true;
  }
  return true;
}

bool RequestParser::read_field_text(std::string_view name) {
  if (take_null()) return true;
  if (!expect(Kind::string, name)) return false;
  add_text(reader_.read_string());
  return reader_.ok();
}

bool RequestParser::read_model() {
  if (!expect(Kind::string, "model")) return false;
  view_.model_value.begin = reader_.position();
  const json::StringToken token = reader_.read_string();
  view_.model_value.end = reader_.position();
  if (!reader_.ok()) return false;
  if (token.decoded_bytes == 0) return refuse("model", "must not be empty");
  if (token.decoded_bytes > kMaxModelNameBytes) return refuse("model", "the name is too long");
  view_.model = reader_.decode(token, scratch_);
  return true;
}

bool RequestParser::read_stream() {
  if (take_null()) return true;
  if (!expect(Kind::boolean, "stream")) return false;
  view_.stream = reader_.read_bool();
  return reader_.ok();
}

bool RequestParser::read_stream_options() {
  const bool null = reader_.peek() == Kind::null;
  if (!null && !expect(Kind::object, "stream_options")) return false;
  view_.stream_options_value.begin = reader_.position();
  if (null) {
    reader_.skip();
    view_.stream_options_value.end = reader_.position();
    return reader_.ok();
  }
  has_stream_options_ = true;
  for (json::Members members(reader_); members.next();) {
    view_.stream_options_has_members = true;
    if (members.key() != "include_usage") {
      reader_.skip();
      continue;
    }
    constexpr std::string_view kPath = "stream_options.include_usage";
    if (!view_.include_usage_value.empty()) {
      return refuse(std::string(kPath), "the field is given twice");
    }
    const bool unset = reader_.peek() == Kind::null;
    if (!unset && !expect(Kind::boolean, kPath)) return false;
    view_.include_usage_value = reader_.skip();
    if (!reader_.ok()) return false;
    view_.caller_wants_usage = reader_.text(view_.include_usage_value) == "true";
  }
  view_.stream_options_value.end = reader_.position();
  return reader_.ok();
}

bool RequestParser::read_count(std::string_view name, int64_t limit,
                               std::optional<int64_t>& value) {
  if (take_null()) return true;
  if (!expect(Kind::number, name)) return false;
  const std::optional<int64_t> number = json::to_integer(reader_.text(reader_.read_number()));
  if (!reader_.ok()) return false;
  if (!number || *number < 1 || *number > limit) {
    return refuse(std::string(name), "expected an integer from 1 to " + std::to_string(limit));
  }
  value = number;
  return true;
}

bool RequestParser::read_choices(std::string_view name, int64_t& choices) {
  std::optional<int64_t> given;
  if (!read_count(name, kMaxChoices, given)) return false;
  choices = given.value_or(1);
  return true;
}

bool RequestParser::read_limit(std::string_view name, std::optional<int64_t>& value,
                               ByteRange& where) {
  reader_.peek();
  where.begin = reader_.position();
  if (!read_count(name, kMaxTokens, value)) return false;
  where.end = reader_.position();
  return true;
}

// Unknown words pass: a new effort level is the upstream's business, not ours.
bool RequestParser::read_reasoning_effort() {
  if (take_null()) return true;
  if (!expect(Kind::string, "reasoning_effort")) return false;
  view_.notes.reasoning_fields = true;
  effort_ = reader_.decode(reader_.read_string(), scratch_) != "none";
  return reader_.ok();
}

bool RequestParser::read_enable_thinking() {
  if (take_null()) return true;
  if (!expect(Kind::boolean, "enable_thinking")) return false;
  view_.notes.reasoning_fields = true;
  thinking_ = reader_.read_bool();
  return reader_.ok();
}

bool RequestParser::read_stop() {
  if (take_null()) return true;
  if (reader_.peek() == Kind::string) {
    view_.notes.stop_count = 1;
    reader_.skip();
    return reader_.ok();
  }
  if (!expect(Kind::array, "stop")) return false;
  for (json::Elements elements(reader_); elements.next();) {
    if (elements.index() == kMaxStopSequences) {
      return refuse("stop", "at most " + std::to_string(kMaxStopSequences) + " sequences");
    }
    if (reader_.peek() != Kind::string) {
      return expect(Kind::string, "stop[" + std::to_string(elements.index()) + "]");
    }
    ++view_.notes.stop_count;
    reader_.skip();
  }
  return reader_.ok();
}

bool RequestParser::read_encoding_format() {
  if (take_null()) return true;
  if (!expect(Kind::string, "encoding_format")) return false;
  const std::string_view format = reader_.decode(reader_.read_string(), scratch_);
  if (!reader_.ok()) return false;
  if (format == "float" || format == "base64") return true;
  return refuse("encoding_format", "expected 'float' or 'base64'");
}

bool RequestParser::read_response_format() {
  if (take_null()) return true;
  if (!expect(Kind::object, "response_format")) return false;
  const uint32_t begin = reader_.position();
  bool has_type = false;
  for (json::Members members(reader_); members.next();) {
    if (members.key() == "type") {
      if (!expect(Kind::string, "response_format.type")) return false;
      has_type = true;
    }
    reader_.skip();
  }
  if (!reader_.ok()) return false;
  if (!has_type) return refuse("response_format.type", "the field is required");
  add_json_text({begin, reader_.position()});
  return true;
}

}  // namespace deeppool::llm
