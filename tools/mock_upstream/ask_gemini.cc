// What Gemini's API reads from a request, and what it refuses, in its words. The rules are those of
// its public documentation and of its answers to wrong requests.
#include <algorithm>
#include <array>

#include "mock_upstream/ask.h"

namespace deeppool::mock {
namespace {

// The documented way to replay a call that another model made.
constexpr std::string_view kNoSignature = "skip_thought_signature_validator";

Error refuse(std::string message) {
  return Error(ErrorCode::invalid_request, std::move(message));
}

Error unknown_name(std::string_view name, const std::string& where) {
  return refuse("Invalid JSON payload received. Unknown name \"" + std::string(name) + "\" at '" +
                where + "': Cannot find field.");
}

// Fields have two spellings.
const bj::value* either(const bj::object& object, std::string_view camel, std::string_view snake) {
  const bj::value* v = member(object, camel);
  return v != nullptr ? v : member(object, snake);
}
const bj::object* either_object(const bj::object& object, std::string_view camel,
                                std::string_view snake) {
  const bj::value* v = either(object, camel, snake);
  return v == nullptr ? nullptr : v->if_object();
}

template <size_t n>
Result<void> check_names(const bj::object& object, const std::array<std::string_view, n>& known,
                         const std::string& where) {
  for (const auto& [name, value] : object) {
    if (std::ranges::find(known, std::string_view(name)) == known.end()) {
      return unknown_name(name, where);
    }
  }
  return {};
}

// The subset of OpenAPI's schema that it knows.
Result<void> check_schema(const bj::value& schema, const std::string& where) {
  constexpr std::array<std::string_view, 24> kKeywords = {"type",
                                                          "format",
                                                          "title",
                                                          "description",
                                                          "nullable",
                                                          "enum",
                                                          "maxItems",
                                                          "minItems",
                                                          "items",
                                                          "properties",
                                                          "required",
                                                          "minProperties",
                                                          "default",
                                                          "maxLength",
                                                          "minLength",
                                                          "pattern",
                                                          "example",
                                                          "anyOf",
                                                          "minimum",
                                                          "maximum",
                                                          "property_ordering",
                                                          "propertyOrdering",
                                                          "maxProperties",
                                                          "any_of"};
  if (!schema.is_object()) return refuse("Invalid value at '" + where + "': not a Schema");
  const bj::object& fields = schema.get_object();
  DP_CHECK(check_names(fields, kKeywords, where));
  if (const bj::value* type = member(fields, "type"); type != nullptr && !type->is_string()) {
    return refuse("Proto field is not repeating, cannot start list. At '" + where + ".type'");
  }
  if (const bj::object* properties = object_member(fields, "properties")) {
    for (const auto& [name, property] : *properties) {
      DP_CHECK(check_schema(property, where + ".properties[" + std::string(name) + "].value"));
    }
  }
  if (const bj::value* items = member(fields, "items")) {
    DP_CHECK(check_schema(*items, where + ".items"));
  }
  const bj::array* choices = array_member(fields, "anyOf");
  for (size_t i = 0; choices != nullptr && i < choices->size(); ++i) {
    DP_CHECK(check_schema((*choices)[i], where + ".any_of[" + std::to_string(i) + "]"));
  }
  return {};
}

Result<void> read_functions(const bj::object& tool, const std::string& where, Ask& ask) {
  const bj::value* declarations = either(tool, "functionDeclarations", "function_declarations");
  const bj::array* functions = declarations == nullptr ? nullptr : declarations->if_array();
  for (size_t i = 0; functions != nullptr && i < functions->size(); ++i) {
    const std::string place = where + ".function_declarations[" + std::to_string(i) + "]";
    const bj::object* function = (*functions)[i].if_object();
    if (function == nullptr) return refuse("Invalid value at '" + place + "'");
    constexpr std::array<std::string_view, 7> kFields = {
        "name",     "description",        "parameters", "parametersJsonSchema",
        "response", "responseJsonSchema", "behavior"};
    DP_CHECK(check_names(*function, kFields, place));
    const bj::value* schema = member(*function, "parameters");
    if (schema != nullptr) DP_CHECK(check_schema(*schema, place + ".parameters"));
    if (schema == nullptr) schema = member(*function, "parametersJsonSchema");
    ask.tools.push_back({std::string(text_member(*function, "name")),
                         schema == nullptr ? "" : bj::serialize(*schema)});
  }
  return {};
}

Result<void> read_tools(const bj::object& body, Ask& ask) {
  const bj::array* tools = array_member(body, "tools");
  for (size_t i = 0; tools != nullptr && i < tools->size(); ++i) {
    const bj::object* tool = (*tools)[i].if_object();
    if (tool == nullptr) return refuse("Invalid value at 'tools'");
    DP_CHECK(read_functions(*tool, "tools[" + std::to_string(i) + "]", ask));
  }
  const bj::object* config = either_object(body, "toolConfig", "tool_config");
  const bj::object* calling = config == nullptr ? nullptr
                                                : either_object(*config, "functionCallingConfig",
                                                                "function_calling_config");
  const bj::array* allowed =
      calling == nullptr ? nullptr : array_member(*calling, "allowedFunctionNames");
  if (allowed != nullptr && allowed->size() == 1) ask.forced_tool = text_of(allowed->front());
  return {};
}

Result<void> read_config(const bj::object& body, Ask& ask) {
  const bj::object* config = either_object(body, "generationConfig", "generation_config");
  if (config == nullptr) return {};
  constexpr std::array<std::string_view, 20> kFields = {"stopSequences",
                                                        "responseMimeType",
                                                        "responseSchema",
                                                        "responseJsonSchema",
                                                        "candidateCount",
                                                        "maxOutputTokens",
                                                        "temperature",
                                                        "topP",
                                                        "topK",
                                                        "seed",
                                                        "presencePenalty",
                                                        "frequencyPenalty",
                                                        "responseLogprobs",
                                                        "logprobs",
                                                        "responseModalities",
                                                        "thinkingConfig",
                                                        "speechConfig",
                                                        "mediaResolution",
                                                        "imageConfig",
                                                        "_responseJsonSchema"};
  DP_CHECK(check_names(*config, kFields, "generation_config"));
  ask.max_tokens = whole_member(*config, "maxOutputTokens");
  ask.wants_json = text_member(*config, "responseMimeType") == "application/json";
  const bj::value* schema = member(*config, "responseSchema");
  if (schema != nullptr) DP_CHECK(check_schema(*schema, "generation_config.response_schema"));
  if (schema == nullptr) schema = member(*config, "responseJsonSchema");
  if (schema != nullptr && !ask.wants_json) {
    return refuse("Response schema is only supported with response_mime_type application/json");
  }
  if (schema != nullptr) ask.schema = bj::serialize(*schema);
  if (const bj::object* thinking = object_member(*config, "thinkingConfig")) {
    constexpr std::array<std::string_view, 3> kThinking = {"includeThoughts", "thinkingBudget",
                                                           "thinkingLevel"};
    DP_CHECK(check_names(*thinking, kThinking, "generation_config.thinking_config"));
    if (member(*thinking, "thinkingBudget") != nullptr &&
        member(*thinking, "thinkingLevel") != nullptr) {
      return refuse("You can only set only one of thinking budget and thinking level.");
    }
  }
  return {};
}

// Goes through the conversation and keeps what one turn must know of the one before.
class Turns {
 public:
  explicit Turns(Ask& ask)
      : ask_(ask),
        wants_signatures_(has(ask.model, "gemini-3") ||
                          parse_model_script(ask.model).number("gen", 0) >= 3) {}

  Result<void> read(const bj::array& contents) {
    if (contents.empty()) {
      return refuse("* GenerateContentRequest.contents: contents is not specified");
    }
    for (size_t i = 0; i < contents.size(); ++i) {
      index_ = i;
      if (!contents[i].is_object()) return refuse("Invalid value at 'contents'");
      DP_CHECK(turn(contents[i].get_object()));
    }
    if (calls_ > 0) return unanswered();
    return unsigned_.empty() ? Result<void>{} : refuse(unsigned_);
  }

 private:
  Result<void> turn(const bj::object& content) {
    const std::string_view given = text_member(content, "role");
    role_ = given.empty() ? "user" : given;
    if (role_ != "user" && role_ != "model") {
      return refuse("Please use a valid role: user, model.");
    }
    const bj::array* parts = array_member(content, "parts");
    if (parts == nullptr || parts->empty()) {
      return refuse("* GenerateContentRequest.contents[" + std::to_string(index_) +
                    "].parts: contents.parts must not be empty.");
    }
    const size_t wanted = std::exchange(calls_, 0);
    answers_ = 0;
    text_.clear();
    for (const bj::value& part : *parts) {
      if (!part.is_object()) return refuse("Invalid value at 'contents.parts'");
      DP_CHECK(read_part(part.get_object()));
    }
    if (answers_ > 0 && role_ != "user") return refuse("Please use a valid role: user, model.");
    if (answers_ != wanted) return wanted > 0 && answers_ == 0 ? unanswered() : miscounted();
    ask_.answered = role_ == "model" ? text_ : "";
    if (role_ == "user") {
      ask_.has_tool_result = answers_ > 0;
      if (answers_ == 0) unsigned_.clear();  // only the current turn's calls must be signed
    }
    return {};
  }

  Result<void> read_part(const bj::object& part) {
    constexpr std::array<std::string_view, 15> kFields = {"text",
                                                          "inlineData",
                                                          "inline_data",
                                                          "fileData",
                                                          "file_data",
                                                          "thought",
                                                          "functionCall",
                                                          "function_call",
                                                          "functionResponse",
                                                          "function_response",
                                                          "thoughtSignature",
                                                          "thought_signature",
                                                          "mediaResolution",
                                                          "videoMetadata",
                                                          "executableCode"};
    DP_CHECK(check_names(part, kFields, "contents[" + std::to_string(index_) + "].parts"));
    if (const bj::value* text = member(part, "text");
        text != nullptr && !is_true(part, "thought")) {
      take_text(text_of(*text), ask_);
      text_ += text_of(*text);
    }
    const bool image = either(part, "inlineData", "inline_data") != nullptr ||
                       either(part, "fileData", "file_data") != nullptr;
    if (image) return read_image(part);
    if (const bj::object* call = either_object(part, "functionCall", "function_call")) {
      return read_call(part, *call);
    }
    if (const bj::object* got = either_object(part, "functionResponse", "function_response")) {
      ++answers_;
      if (text_member(*got, "name").empty()) {
        return refuse("GenerateContentRequest.contents: function_response.name cannot be empty.");
      }
      const bj::object* response = object_member(*got, "response");
      if (response == nullptr) return refuse("function_response.response: a Struct is wanted");
      ask_.prompt_tokens += count_words(bj::serialize(*response));
    }
    return {};
  }

  Result<void> read_image(const bj::object& part) {
    ++ask_.images;
    const bj::object* data = either_object(part, "inlineData", "inline_data");
    if (data == nullptr) return {};
    const bj::value* type = either(*data, "mimeType", "mime_type");
    if (type == nullptr || text_of(*type).empty()) return refuse("Unsupported MIME type: ");
    return text_member(*data, "data").empty() ? refuse("Unable to process input image.")
                                              : Result<void>{};
  }

  Result<void> read_call(const bj::object& part, const bj::object& call) {
    ++calls_;
    if (role_ != "model") return refuse("Please use a valid role: user, model.");
    const bj::value* args = member(call, "args");
    if (args != nullptr && !args->is_object()) return refuse("function_call.args: not a Struct");
    if (calls_ > 1 || !wants_signatures_) return {};  // of parallel calls only the first is signed
    const bj::value* signature = either(part, "thoughtSignature", "thought_signature");
    const std::string name(text_member(call, "name"));
    if (signature == nullptr) {
      unsigned_ =
          "Function call is missing a thought_signature in functionCall parts. This is "
          "required for tools to work correctly. Function call `" +
          name + "`, position " + std::to_string(index_) + ".";
      return {};
    }
    const std::string_view given = text_of(*signature);
    if (given == kNoSignature || given == signature_of(name)) return {};
    return refuse("Thought signature is not valid.");
  }

  static Error unanswered() {
    return refuse("Please ensure that function call turn is followed by a function response turn.");
  }
  static Error miscounted() {
    return refuse(
        "Please ensure that the number of function response parts is equal to the number "
        "of function call parts of the function call turn, and that function response "
        "turn comes immediately after a function call turn.");
  }

  Ask& ask_;
  const bool wants_signatures_;
  size_t index_ = 0;
  std::string_view role_;
  std::string text_;
  size_t calls_ = 0;    // of this turn
  size_t answers_ = 0;  // of this turn
  std::string unsigned_;
};

Result<void> read_system(const bj::object& body, Ask& ask) {
  const bj::object* system = either_object(body, "systemInstruction", "system_instruction");
  const bj::array* parts = system == nullptr ? nullptr : array_member(*system, "parts");
  for (size_t i = 0; parts != nullptr && i < parts->size(); ++i) {
    if ((*parts)[i].is_object()) take_text(text_member((*parts)[i].get_object(), "text"), ask);
  }
  return {};
}

bool has_key(const http::RequestHead& head) {
  return head.headers.find("x-goog-api-key") || head.headers.find("authorization") ||
         has(head.target, "key=");
}

}  // namespace

Result<void> read_gemini(const http::RequestHead& head, const bj::object& body, Ask& ask) {
  if (!has_key(head)) {
    return Error(ErrorCode::permission_denied,
                 "Method doesn't allow unregistered callers (callers without established "
                 "identity). Please use API Key or other form of API consumer identity to call "
                 "this API.");
  }
  if (ask.stream && !has(head.target, "alt=sse")) {
    return refuse("The mock streams with alt=sse only.");
  }
  constexpr std::array<std::string_view, 15> kFields = {
      "contents",           "tools",           "toolConfig",       "tool_config",
      "safetySettings",     "safety_settings", "labels",           "systemInstruction",
      "system_instruction", "model",           "generationConfig", "generation_config",
      "cachedContent",      "cached_content",  "serviceTier"};
  DP_CHECK(check_names(body, kFields, "request"));
  ask.include_usage = true;
  DP_CHECK(read_tools(body, ask));
  DP_CHECK(read_config(body, ask));
  DP_CHECK(read_system(body, ask));
  const bj::array* contents = array_member(body, "contents");
  return Turns(ask).read(contents == nullptr ? bj::array() : *contents);
}

}  // namespace deeppool::mock
