#include "provider/anthropic/request.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "json/number.h"
#include "json/reader.h"
#include "provider/anthropic/claude_models.h"
#include "provider/anthropic/content.h"
#include "provider/anthropic/conversation.h"
#include "provider/anthropic/house_fields.h"
#include "provider/anthropic/messages.h"
#include "provider/anthropic/raw_text.h"
#include "provider/anthropic/schema.h"
#include "provider/anthropic/thinking.h"
#include "provider/anthropic/tools.h"
#include "provider/request_head.h"

namespace deeppool::provider::anthropic {

using json::Kind;

namespace {

// What a field of Anthropic's needs in the header anthropic-beta. Source: platform.claude.com, the
// pages of the features (2026-11-15).
struct BetaField {
  std::string_view field;
  std::string_view beta;
};
constexpr auto kBetaFields = std::to_array<BetaField>({
    {"context_management", "context-management-2025-06-27"},
    {"mcp_servers", "mcp-client-2025-11-20"},
});

// Tells a model without structured outputs what its answer must look like.
constexpr std::string_view kJsonOnly =
    "Answer with one JSON object and nothing else: no words around it and no code fence.";

std::string_view inner_text(std::string_view string_value) {
  return string_value.size() < 2 || string_value[0] != '"'
             ? std::string_view()
             : string_value.substr(1, string_value.size() - 2);
}

std::optional<Effort> effort_of(std::string_view value) {
  return parse_effort(inner_text(value));
}

// The schema of `{"type":"json_schema","json_schema":{"schema":{...}}}`.
struct Format {
  std::string_view type;
  std::string_view schema;
};

void read_format_members(json::Reader& reader, Format& format) {
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const Kind kind = reader.peek();
    if (key == "type" && kind == Kind::string && format.type.empty()) {
      format.type = read_raw_string(reader);
    } else if (key == "schema" && kind == Kind::object) {
      format.schema = reader.text(reader.skip());
    } else if (key == "json_schema" && kind == Kind::object) {
      read_format_members(reader, format);
    } else {
      reader.skip();
    }
  }
}

class RequestWriter {
 public:
  RequestWriter(const Asking& asking, ApiVersion version)
      : asking_(asking),
        version_(version),
        model_(find_claude(asking.endpoint.upstream_model)),
        fields_(read_house_fields(asking.body.view())),
        extension_(read_extension(fields_.extension)) {
    made_.dropped = std::move(fields_.dropped);
  }

  Result<UpstreamRequest> run() {
    DP_CHECK(check_answered());
    DP_TRY(std::vector<Message> messages, read_messages(fields_.messages));
    DP_TRY(choice_, read_tool_choice(fields_.tool_choice.empty() ? fields_.function_call
                                                                 : fields_.tool_choice));
    DP_TRY(tools_, read_tools(fields_.tools, fields_.functions, choice_));
    max_tokens_ = most_output();
    conversation_ =
        arrange(std::move(messages), {.system_turns = version_ == ApiVersion::v2026_10_21,
                                      .prefill = model_.takes_prefill,
                                      .answered_text = asking_.answered_text});
    plan_reasoning();
    read_response_format();
    write_body();
    made_.body.insert(0, made_.body.own(std::move(out_)));
    made_.body.finish();
    write_head();
    return std::move(made_);
  }

 private:
  // A caller who has read a beginning must not read a piece of it twice: Anthropic goes on only
  // behind words, not behind white space, and newer models not at all.
  Result<void> check_answered() const {
    const std::string_view text = asking_.answered_text;
    if (text.empty()) return {};
    const bool ends_in_space =
        std::string_view(" \t\r\n\f\v").find(text.back()) != std::string_view::npos;
    if (model_.takes_prefill && !ends_in_space) return {};
    return Error::invalid("messages", "this model cannot go on behind what was answered so far");
  }

  int64_t most_output() const {
    if (asking_.output_limit > 0) return asking_.output_limit;
    if (asking_.view.max_tokens) return *asking_.view.max_tokens;
    return asking_.model.max_output_tokens > 0 ? asking_.model.max_output_tokens
                                               : model_.most_output;
  }

  void drop(std::string_view name) {
    if (std::find(made_.dropped.begin(), made_.dropped.end(), name) == made_.dropped.end()) {
      made_.dropped.emplace_back(name);
    }
  }

  void plan_reasoning() {
    const ReasoningRow* row = find_reasoning("anthropic", asking_.endpoint.upstream_model);
    takes_effort_ = row->knob == ReasoningKnob::claude_adaptive;
    // A caller of Anthropic's own protocol who names an effort alone does not ask for thoughts.
    if (!extension_.effort.empty() && extension_.thinking.empty()) return;
    ThinkingAsked asked;
    asked.effort = effort_of(fields_.reasoning_effort);
    if (!fields_.enable_thinking.empty()) asked.switched = fields_.enable_thinking == "true";
    asked.thinking = extension_.thinking;
    if (asked.thinking.empty() && !asked.effort) asked.thinking = fields_.thinking;
    asked.max_tokens = max_tokens_;
    asked.barred =
        choice_.forces() || conversation_.ends_with_prefill || conversation_.unsigned_tool_loop;
    thinking_ = plan_thinking(*row, model_, asked);
    if (thinking_.dropped) drop(reasoning_field());
    if (!asked.effort && !fields_.reasoning_effort.empty()) drop("reasoning_effort");
  }

  // By which the caller asked for thoughts.
  std::string_view reasoning_field() const {
    if (!fields_.reasoning_effort.empty()) return "reasoning_effort";
    return fields_.enable_thinking.empty() ? "thinking" : "enable_thinking";
  }

  // The schema is enforced where the model can be held to it; elsewhere the model is told, and the
  // caller too.
  void read_response_format() {
    if (fields_.response_format.empty()) return;
    Format format;
    json::Reader reader(fields_.response_format);
    read_format_members(reader, format);
    if (format.type == "text" || format.type.empty()) return;
    if (model_.takes_schema && !format.schema.empty()) {
      format_ = R"({"type":"json_schema","schema":)" + closed_schema(format.schema) + "}";
      return;
    }
    drop("response_format");
    std::string text(kJsonOnly);
    if (!format.schema.empty()) text.append(" Its JSON schema: ").append(format.schema);
    std::string quoted;
    base::append_json_string(quoted, text);
    conversation_.system.push_back(text_block(inner_text(quoted)));
  }

  void member(std::string_view name, std::string_view json) {
    if (json.empty()) return;
    out_.append(",\"").append(name).append("\":").append(json);
  }

  void write_body() {
    out_.reserve(asking_.body.size() + asking_.body.size() / 8 + 512);
    out_ += "{\"model\":";
    base::append_json_string(out_, asking_.endpoint.upstream_model);
    out_ += ",\"max_tokens\":";
    base::append_int(out_, max_tokens_);
    if (asking_.view.stream) out_ += ",\"stream\":true";
    out_ += ',';
    append_conversation(out_, conversation_);
    write_tools();
    write_stop();
    write_sampling();
    write_metadata();
    write_service_tier();
    member("thinking", thinking_.json);
    write_output_config();
    for (const auto& [name, value] : extension_.others) {
      out_ += ',';
      base::append_json_string(out_, name);
      out_.append(":").append(value);
    }
    out_ += '}';
  }

  void write_tools() {
    const bool offered = !tools_.empty();
    if (tools_.drops_strict) drop("tools.strict");
    if (!offered) {
      for (const std::string& name : conversation_.tool_names) add_stand_in(tools_, name);
    }
    const std::string_view own = extension_.tools;
    std::string list = tools_.json;
    if (own.size() > 2 && own.front() == '[') {
      if (!list.empty()) list += ',';
      list += own.substr(1, own.size() - 2);
    }
    if (list.empty()) return;
    member("tools", "[" + list + "]");
    if (!extension_.tool_choice.empty()) {
      member("tool_choice", extension_.tool_choice);
      return;
    }
    if (!offered && own.empty()) choice_.kind = ToolChoice::Kind::none;
    const bool one = fields_.parallel_tool_calls == "false";
    member("tool_choice",
           tool_choice_json(choice_, one ? Calls::one_at_a_time : Calls::any_number));
  }

  void write_stop() {
    if (fields_.stop.empty()) return;
    std::string list;
    const auto add = [&](std::string_view value) {
      if (is_blank(inner_text(value))) {
        drop("stop");  // Anthropic wants something visible to stop at
        return;
      }
      list.append(list.empty() ? "" : ",").append(value);
    };
    json::Reader reader(fields_.stop);
    if (reader.peek() == Kind::array) {
      for (json::Elements stops(reader); stops.next();) {
        reader.peek();
        add(reader.text(reader.skip()));
      }
    } else {
      add(fields_.stop);
    }
    if (!list.empty()) member("stop_sequences", "[" + list + "]");
  }

  // 1 is what both mean when they are left out.
  static bool is_one(std::string_view number) {
    return number.empty() || json::to_double(number) == 1.0;
  }

  void drop_unless_one(std::string_view name, std::string_view value) {
    if (!is_one(value)) drop(name);
  }

  void write_sampling() {
    std::string_view temperature = fields_.temperature;
    std::string_view top_p = fields_.top_p;
    std::string_view top_k = fields_.top_k.empty() ? extension_.top_k : fields_.top_k;
    if (model_.sampling == Sampling::none || version_ == ApiVersion::v2026_10_21) {
      drop_unless_one("temperature", temperature);
      drop_unless_one("top_p", top_p);
      if (!top_k.empty()) drop("top_k");
      return;
    }
    if (thinking_.on) {  // temperature stays 1, top_p may be 0.95 to 1, top_k is refused
      drop_unless_one("temperature", temperature);
      temperature = {};
      if (!top_k.empty()) drop("top_k");
      top_k = {};
      if (json::to_double(top_p.empty() ? "1" : top_p).value_or(0) < 0.95) {
        drop("top_p");
        top_p = {};
      }
    }
    if (model_.sampling == Sampling::one && !temperature.empty() && !top_p.empty()) {
      const bool neutral = is_one(temperature);
      if (!neutral) drop_unless_one("top_p", top_p);
      (neutral ? temperature : top_p) = {};
    }
    if (json::to_double(temperature.empty() ? "0" : temperature).value_or(2) > 1) temperature = "1";
    member("temperature", temperature);
    member("top_p", top_p);
    member("top_k", top_k);
  }

  void write_metadata() {
    if (!extension_.metadata.empty()) {
      member("metadata", extension_.metadata);
      return;
    }
    const std::string_view user = fields_.user.empty() ? fields_.safety_identifier : fields_.user;
    if (!is_blank(inner_text(user))) member("metadata", "{\"user_id\":" + std::string(user) + "}");
  }

  // The house's tiers name what OpenAI sells; of these only the plain one exists here.
  void write_service_tier() {
    if (!extension_.service_tier.empty()) {
      member("service_tier", extension_.service_tier);
      return;
    }
    if (fields_.service_tier == R"("default")") member("service_tier", "\"standard_only\"");
  }

  void write_output_config() {
    std::string config;
    const auto add = [&](std::string_view name, std::string_view json) {
      config.append(config.empty() ? "" : ",").append("\"").append(name).append("\":").append(json);
    };
    bool has_format = false;
    bool has_effort = false;
    if (!extension_.output_config.empty()) {
      json::Reader reader(extension_.output_config);
      if (reader.peek() != Kind::object) return;
      for (json::Members members(reader); members.next();) {
        const std::string name(members.key());
        has_format = has_format || name == "format";
        has_effort = has_effort || name == "effort";
        reader.peek();
        const std::string_view value = reader.text(reader.skip());
        if (name == "effort" && !takes_effort_) {
          drop("output_config.effort");
        } else if (name != "format" || model_.takes_schema) {
          add(name, value);
        }
      }
    }
    if (!format_.empty() && !has_format) add("format", format_);
    if (!thinking_.effort.empty() && !has_effort) {
      add("effort", "\"" + std::string(thinking_.effort) + "\"");
    }
    if (!config.empty()) member("output_config", "{" + config + "}");
  }

  void write_head() {
    std::string betas;
    const auto add = [&](std::string_view beta) {
      if (betas.find(beta) == std::string::npos)
        betas.append(betas.empty() ? "" : ",").append(beta);
    };
    for (const std::string& beta : extension_.betas) add(beta);
    for (const auto& [name, value] : extension_.others) {
      for (const BetaField& row : kBetaFields) {
        if (row.field == name) add(row.beta);
      }
    }
    std::string more = "anthropic-version: ";
    more += version_ == ApiVersion::v2026_10_21 ? "2026-10-21" : "2023-06-01";
    more += "\r\n";
    if (!betas.empty()) more += "anthropic-beta: " + betas + "\r\n";
    made_.head = request_head(asking_, {.path = "/messages",
                                        .key_header = "x-api-key: ",
                                        .more_fields = more,
                                        .content_length = made_.body.size()});
  }

  const Asking& asking_;
  const ApiVersion version_;
  const ClaudeModel& model_;
  HouseFields fields_;
  Extension extension_;
  UpstreamRequest made_;
  std::string out_;
  int64_t max_tokens_ = 0;
  Conversation conversation_;
  ToolChoice choice_;
  ToolList tools_;
  Thinking thinking_;
  bool takes_effort_ = false;
  std::string format_;
};

}  // namespace

Result<UpstreamRequest> make_request(const Asking& asking, ApiVersion version) {
  if (asking.view.api != llm::Api::chat_completions) {
    return Error::invalid("model", "this model can only be called through chat completions");
  }
  return RequestWriter(asking, version).run();
}

}  // namespace deeppool::provider::anthropic
