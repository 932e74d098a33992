#include "provider/anthropic/tools.h"

#include <algorithm>

#include "base/text.h"
#include "json/reader.h"
#include "provider/anthropic/content.h"

namespace deeppool::provider::anthropic {

using json::Kind;

namespace {

constexpr std::string_view kNoParameters = R"({"type":"object","properties":{}})";

// Anthropic's own tools carry the date of their version: "web_search_20250305".
bool is_own_tool(std::string_view type) {
  const size_t mark = type.rfind('_');
  if (mark == std::string_view::npos || type.size() - mark != 9) return false;
  return std::all_of(type.begin() + static_cast<ptrdiff_t>(mark) + 1, type.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

struct Function {
  std::string_view name;         // raw
  std::string_view description;  // raw
  std::string schema{kNoParameters};
  std::string_view cache_control;
  bool strict = false;
};

// The schema of an object must say so.
std::string schema_of(json::Reader& reader) {
  if (reader.peek() != Kind::object) {
    reader.skip();
    return std::string(kNoParameters);
  }
  const uint32_t begin = reader.position();
  bool has_type = false;
  bool empty = true;
  for (json::Members members(reader); members.next(); empty = false) {
    has_type = has_type || members.key() == "type";
    reader.skip();
  }
  const std::string_view schema = reader.text(json::Range{begin, reader.position()});
  if (has_type) return std::string(schema);
  if (empty) return std::string(kNoParameters);
  return R"({"type":"object",)" + std::string(schema.substr(1));
}

void read_function(json::Reader& reader, Function& function) {
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "name") {
      function.name = read_raw_string(reader);
    } else if (key == "description") {
      function.description = read_raw_string(reader);
    } else if (key == "parameters") {
      function.schema = schema_of(reader);
    } else if (key == "strict") {
      function.strict = reader.text(reader.skip()) == "true";
    } else if (key == "cache_control" && reader.peek() == Kind::object) {
      function.cache_control = reader.text(reader.skip());
    } else {
      reader.skip();
    }
  }
}

bool told(const ToolChoice& choice, std::string_view name) {
  return !choice.only_some ||
         std::find(choice.allowed.begin(), choice.allowed.end(), name) != choice.allowed.end();
}

void begin_tool(ToolList& list) {
  if (!list.json.empty()) list.json += ',';
}

void add_function(ToolList& list, const Function& function, const ToolChoice& choice) {
  if (!told(choice, function.name)) return;
  begin_tool(list);
  list.json.append(R"({"name":")").append(function.name).append("\"");
  if (!function.description.empty()) {
    list.json.append(R"(,"description":")").append(function.description).append("\"");
  }
  list.json.append(R"(,"input_schema":)").append(function.schema);
  if (!function.cache_control.empty()) {
    list.json.append(R"(,"cache_control":)").append(function.cache_control);
  }
  list.json += '}';
  list.drops_strict = list.drops_strict || function.strict;
}

Result<void> read_tool(json::Reader& reader, int index, const ToolChoice& choice, ToolList& list) {
  std::string_view type;
  Function function;
  reader.peek();
  const uint32_t begin = reader.position();
  bool has_function = false;
  std::string_view cache_control;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "type") {
      type = read_raw_string(reader);
    } else if (key == "function" && reader.peek() == Kind::object) {
      has_function = true;
      read_function(reader, function);
    } else if (key == "cache_control" && reader.peek() == Kind::object) {
      cache_control = reader.text(reader.skip());
    } else {
      reader.skip();
    }
  }
  if (has_function) {
    if (!cache_control.empty()) function.cache_control = cache_control;
    add_function(list, function, choice);
    return {};
  }
  if (is_own_tool(type)) {
    begin_tool(list);
    list.json += reader.text(json::Range{begin, reader.position()});
    return {};
  }
  return Error::invalid("tools[" + std::to_string(index) + "].type",
                        "this model's provider takes only tools of type `function`");
}

std::string read_name(json::Reader& reader) {
  std::string name;
  if (reader.peek() != Kind::object) {
    reader.skip();
    return name;
  }
  for (json::Members members(reader); members.next();) {
    if (members.key() == "name") {
      name = read_raw_string(reader);
    } else if (members.key() == "function") {
      name = read_name(reader);
    } else {
      reader.skip();
    }
  }
  return name;
}

ToolChoice::Kind kind_of(std::string_view word) {
  if (word == "auto") return ToolChoice::Kind::automatic;
  if (word == "none") return ToolChoice::Kind::none;
  if (word == "required" || word == "any") return ToolChoice::Kind::any;
  return ToolChoice::Kind::unset;
}

// `{"mode":"auto","tools":[...]}`
void read_allowed(json::Reader& reader, ToolChoice& choice) {
  choice.only_some = true;
  choice.kind = ToolChoice::Kind::automatic;
  for (json::Members members(reader); members.next();) {
    if (members.key() == "mode") {
      choice.kind = kind_of(read_raw_string(reader));
    } else if (members.key() == "tools" && reader.peek() == Kind::array) {
      for (json::Elements tools(reader); tools.next();) choice.allowed.push_back(read_name(reader));
    } else {
      reader.skip();
    }
  }
}

void read_choice_object(json::Reader& reader, ToolChoice& choice) {
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const bool object = reader.peek() == Kind::object;
    if (key == "allowed_tools" && object) {
      read_allowed(reader, choice);
    } else if (key == "function" && object) {
      choice.name = read_name(reader);
      choice.kind = ToolChoice::Kind::named;
    } else if (key == "name") {
      choice.name = read_raw_string(reader);
      choice.kind = ToolChoice::Kind::named;
    } else {
      reader.skip();
    }
  }
}

}  // namespace

Result<ToolChoice> read_tool_choice(std::string_view value) {
  ToolChoice choice;
  if (value.empty()) return choice;
  json::Reader reader(value);
  if (reader.peek() == Kind::object) {
    read_choice_object(reader, choice);
  } else {
    choice.kind = kind_of(read_raw_string(reader));
  }
  if (choice.kind != ToolChoice::Kind::unset) return choice;
  return Error::invalid("tool_choice",
                        "expected auto, none, required, a function's name or allowed_tools");
}

Result<ToolList> read_tools(std::string_view tools, std::string_view functions,
                            const ToolChoice& choice) {
  ToolList list;
  if (!tools.empty()) {
    json::Reader reader(tools);
    for (json::Elements elements(reader); elements.next();) {
      DP_CHECK(read_tool(reader, elements.index(), choice, list));
    }
  }
  if (!functions.empty()) {
    json::Reader reader(functions);
    for (json::Elements elements(reader); elements.next();) {
      Function function;
      read_function(reader, function);
      add_function(list, function, choice);
    }
  }
  return list;
}

void add_stand_in(ToolList& list, std::string_view raw_name) {
  Function function;
  function.name = raw_name;
  add_function(list, function, {});
}

std::string tool_choice_json(const ToolChoice& choice, Calls calls) {
  using Choice = ToolChoice::Kind;
  std::string out;
  switch (choice.kind) {
    case Choice::unset:
      if (calls == Calls::any_number) return out;
      out = R"({"type":"auto")";
      break;
    case Choice::automatic:
      out = R"({"type":"auto")";
      break;
    case Choice::none:
      return R"({"type":"none"})";
    case Choice::any:
      out = R"({"type":"any")";
      break;
    case Choice::named:
      out = R"({"type":"tool","name":")" + choice.name + "\"";
      break;
  }
  if (calls == Calls::one_at_a_time) out += R"(,"disable_parallel_tool_use":true)";
  return out += '}';
}

}  // namespace deeppool::provider::anthropic
