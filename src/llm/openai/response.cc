#include "llm/openai/response.h"

#include <vector>

#include "base/text.h"

namespace deeppool::llm {

using json::Kind;
using json::Range;

namespace {

// Where the members that we act on stand. The last of a kind counts, as with every JSON parser.
struct Places {
  Range model;
  Range usage;
  bool has_usage = false;
  bool full_usage = false;
  bool own_cost = false;
  bool has_members = false;
  bool has_answer = false;
  bool may_be_error = false;
  std::vector<Range> reasoning_names;  // `"reasoning"`, to be said as most vendors do
  uint32_t close = 0;
};

void read_message(json::Reader& reader, Places& places) {
  Range name;
  bool usual = false;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    usual = usual || key == "reasoning_content";
    if (key == "reasoning" && reader.peek() == Kind::string) {
      name = {members.key_begin(), members.key_begin() + uint32_t{sizeof("'reasoning'") - 1}};
    }
    reader.skip();
  }
  const bool spelled_out = reader.ok() && reader.text(name) == R"("reasoning")";
  if (spelled_out && !usual) places.reasoning_names.push_back(name);
}

void read_choices(json::Reader& reader, Places& places, ResponseRewrite& result) {
  for (json::Elements choices(reader); choices.next();) {
    ++result.choice_count;
    if (reader.peek() != Kind::object) {
      reader.skip();
      continue;
    }
    for (json::Members members(reader); members.next();) {
      if (members.key() == "message" && reader.peek() == Kind::object) {
        read_message(reader, places);
        continue;
      }
      const bool reason =
          choices.index() == 0 && members.key() == "finish_reason" && reader.peek() == Kind::string;
      if (!reason) {
        reader.skip();
        continue;
      }
      std::string scratch;
      result.finish_reason = reader.decode(reader.read_string(), scratch);
    }
  }
}

Places find_places(json::Reader& reader, Api api, ResponseRewrite& result) {
  Places places;
  const std::string_view answer = api == Api::embeddings ? "data" : "choices";
  json::Members members(reader);
  while (members.next()) {
    places.has_members = true;
    const std::string_view key = members.key();
    const Kind kind = reader.peek();
    if (key == answer && kind == Kind::array) {
      places.has_answer = true;
      read_choices(reader, places, result);
    } else if (key == "model") {
      places.model = reader.skip();
    } else if (key == "usage") {
      places.usage.begin = reader.position();
      const auto found = read_usage(reader);
      places.usage.end = reader.position();
      places.has_usage = true;
      places.full_usage = found && found->full_shape;
      places.own_cost = found && found->has_cost;
      result.usage = found ? std::optional(found->usage) : std::nullopt;
    } else {
      places.may_be_error = places.may_be_error || (key == "error" && kind != Kind::null);
      reader.skip();
    }
  }
  places.close = members.close();
  return places;
}

constexpr std::string_view kCostMember = ",\"cost\":";

std::string usage_text(Api api, std::string_view json, const Usage& usage, std::string_view cost) {
  std::string text;
  text.reserve(json.size() + 256);
  if (api == Api::embeddings) {
    const std::string tokens = std::to_string(usage.prompt_tokens);
    text.append(R"({"prompt_tokens":)" + tokens + R"(,"total_tokens":)" + tokens);
    if (!cost.empty()) text.append(kCostMember).append(cost);
    return text += '}';
  }
  if (json.empty())
    append_usage_json(text, usage, cost);
  else
    append_full_usage(text, json, usage, cost);
  return text;
}

}  // namespace

Result<ResponseRewrite> rewrite_response(Api api, const json::PaddedBytes& body,
                                         std::string_view public_model, const Usage* fallback,
                                         const CostOf& cost_of) {
  ResponseRewrite result;
  const std::string_view text = body.view();
  json::Reader reader(text);
  const Places places = find_places(reader, api, result);
  if (!reader.finish()) {
    return Error(
        ErrorCode::upstream_failed, "The upstream's answer could not be read.",
        std::string(reader.error_reason()) + " at byte " + std::to_string(reader.error_position()));
  }
  if (!places.has_answer || places.may_be_error) result.error = find_error(text);
  if (result.error) return result;
  if (!places.has_answer) {
    return Error(ErrorCode::upstream_failed, "The upstream's answer could not be read.",
                 "neither an answer nor an error");
  }
  const Usage* usage = result.usage ? &*result.usage : fallback;

  SplicedBody spliced(text);
  const std::string_view cost = usage != nullptr && cost_of ? cost_of(*usage) : "";
  const bool good_as_it_is = places.full_usage || (result.usage && api == Api::embeddings);
  size_t renamed = 0;
  const auto rename_until = [&](uint32_t at) {
    for (; renamed < places.reasoning_names.size(); ++renamed) {
      const Range name = places.reasoning_names[renamed];
      if (name.begin > at) return;
      spliced.replace(name.begin, name.end, R"("reasoning_content")");
    }
  };
  const auto put_usage = [&] {
    rename_until(places.usage.begin);
    if (usage == nullptr || !places.has_usage) return;
    if (good_as_it_is && cost.empty()) return;
    if (good_as_it_is && !places.own_cost) {
      spliced.insert(places.usage.end - 1, kCostMember);
      spliced.insert(places.usage.end - 1, cost);
      return;
    }
    const std::string_view own = result.usage ? reader.text(places.usage) : std::string_view();
    spliced.replace(places.usage.begin, places.usage.end,
                    spliced.own(usage_text(api, own, *usage, cost)));
  };
  const bool usage_first = places.usage.begin < places.model.begin;
  if (usage_first) put_usage();
  if (!places.model.empty()) {
    rename_until(places.model.begin);
    spliced.replace_with_string(places.model.begin, places.model.end, public_model);
  }
  if (!usage_first) put_usage();
  rename_until(places.close);
  if (places.model.empty()) {
    std::string member = ",\"model\":";
    base::append_json_string(member, public_model);
    spliced.insert(places.close, spliced.own(std::move(member)));
  }
  if (usage != nullptr && !places.has_usage) {
    spliced.insert(places.close, ",\"usage\":");
    spliced.insert(places.close, spliced.own(usage_text(api, {}, *usage, cost)));
  }
  spliced.finish();
  result.body = std::move(spliced);
  return result;
}

}  // namespace deeppool::llm
