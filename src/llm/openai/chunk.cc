#include "llm/openai/chunk.h"

#include "base/text.h"
#include "llm/limits.h"
#include "llm/openai/chunk_walk.h"

namespace deeppool::llm {

namespace {

std::string_view trimmed(std::string_view s) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = s.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return s.substr(begin, s.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

ChunkRewriter::ChunkRewriter(ChunkSettings settings)
    : api_(settings.api),
      caller_wants_usage_(settings.caller_wants_usage),
      tally_(settings.tokenizer),
      reasoning_tally_(settings.tokenizer) {
  base::append_json_string(model_json_, settings.public_model);
}

ChunkRewriter::Shape& ChunkRewriter::shape() {
  if (!shape_) shape_ = std::make_unique<Shape>();
  return *shape_;
}

void ChunkRewriter::rest() {
  shape_.reset();
}

ChunkRewriter::Verdict ChunkRewriter::feed(std::string_view event_data, std::string& out) {
  event_data = trimmed(event_data);
  if (event_data.empty()) return Verdict::swallow;
  if (event_data == "[DONE]") return Verdict::done;
  if (pour(event_data, out)) return Verdict::relay;
  const size_t mark = out.size();
  generated_.clear();
  choices_before_ = choices_;
  const bool finish_before = saw_finish_reason_;
  ChunkWalk walk(*this, event_data, out);
  const bool valid = walk.run();
  if (!valid) {
    choices_ = choices_before_;
    saw_finish_reason_ = finish_before;
  }
  const Verdict verdict = valid ? settle(event_data, walk) : Verdict::malformed;
  if (choices_ != choices_before_) {
    if (shape_) shape_->mould.set = false;
  } else if (verdict == Verdict::relay && finish_before == saw_finish_reason_) {
    make_mould(event_data, walk, std::string_view(out).substr(mark));
  }
  if (verdict != Verdict::relay) out.resize(mark);
  return verdict;
}

// From a chunk that did nothing but bring one text.
void ChunkRewriter::make_mould(std::string_view event_data, const ChunkWalk& walk,
                               std::string_view made) {
  if (generated_.size() != 1 || !walk.usage().empty() || walk.may_be_error()) return;
  const json::Range raw = generated_.front().raw;
  const size_t at = walk.generated_at();
  if (event_data.size() - raw.size() > kMaxMouldBytes) return;
  Mould& mould = shape().mould;
  mould.set = true;
  mould.head_in = event_data.substr(0, raw.begin);
  mould.tail_in = event_data.substr(raw.end);
  mould.head_out = made.substr(0, at);
  mould.tail_out = made.substr(at + raw.size());
  mould.text = generated_.front().text;
}

bool ChunkRewriter::pour(std::string_view event_data, std::string& out) {
  if (!shape_ || !shape_->mould.set) return false;
  const Mould& mould = shape_->mould;
  const size_t around = mould.head_in.size() + mould.tail_in.size();
  if (event_data.size() <= around || !event_data.starts_with(mould.head_in) ||
      !event_data.ends_with(mould.tail_in)) {
    return false;
  }
  const std::string_view raw = event_data.substr(mould.head_in.size(), event_data.size() - around);
  // With its quotes it must be exactly one string.
  json::Reader reader(event_data.substr(mould.head_in.size() - 1, raw.size() + 2));
  const json::StringToken token = reader.read_string();
  if (token.raw.size() != raw.size() || !reader.finish()) return false;
  note_text(raw, mould.text);
  out += mould.head_out;
  out += raw;
  out += mould.tail_out;
  return true;
}

ChunkRewriter::Verdict ChunkRewriter::settle(std::string_view event_data, const ChunkWalk& walk) {
  if (walk.may_be_error() || !walk.has_choices()) {
    if (std::optional<UpstreamError> error = find_error(event_data)) {
      error_ = std::make_unique<UpstreamError>(*std::move(error));
      return Verdict::error;
    }
  }
  for (const Generated& piece : generated_) {
    const std::string_view raw = event_data.substr(piece.raw.begin, piece.raw.size());
    note_text(raw, piece.text);
  }
  const bool has_usage = !walk.usage().empty();
  if (has_usage) remember_usage(event_data, walk.usage());
  if (!walk.has_choices()) return Verdict::swallow;
  if (!has_usage || !walk.choices_empty()) return Verdict::relay;
  if (caller_wants_usage_ && seen_) {
    seen_->chunk.clear();
    seen_->chunk.append(event_data);
  }
  return Verdict::swallow;
}

void ChunkRewriter::note_text(std::string_view raw, Text text) {
  tally_of(text).append_json(raw);
  if (!kept_ || text != Text::output) return;
  if (kept_->size() + raw.size() > kMaxKeptTextBytes) {
    kept_.reset();
  } else {
    kept_->append(raw);
  }
}

std::optional<Said> ChunkRewriter::said() const {
  if (!kept_ || choices_.size() > 1) return std::nullopt;
  if (!choices_.empty()) {
    const Choice& choice = choices_.front();
    if (choice.called_tools || choice.called_function || choice.finished) return std::nullopt;
  }
  Said said;
  json::append_unescaped(said.text, *kept_);
  said.reasoned = !reasoning_tally_.empty();
  said.id_json = id_json_;
  said.created = created_;
  return said;
}

void ChunkRewriter::begin_continuation() {
  seen_.reset();
}

void ChunkRewriter::remember_usage(std::string_view event_data, json::Range value) {
  const std::string_view json = event_data.substr(value.begin, value.size());
  const std::optional<Usage> read = read_usage(json);
  if (!read) return;
  if (!seen_) seen_ = std::make_unique<SeenUsage>();
  seen_->usage = *read;
  seen_->behind_bytes = text_bytes();
  seen_->json.clear();
  seen_->json.append(json);
  seen_->chunk.clear();
}

// Once per stream, so a second walk is cheap: the whole chunk with its usage in full shape.
std::string ChunkRewriter::kept_usage_chunk(std::string_view cost) const {
  std::string chunk;
  json::Reader reader(seen_->chunk.view());
  Patch patch(seen_->chunk.view(), chunk);
  bool has_model = false;
  json::Members members(reader);
  while (members.next()) {
    reader.peek();
    const bool model = members.key() == "model";
    const bool usage = members.key() == "usage";
    const json::Range value = reader.skip();
    if (model) patch.replace(value.begin, value.end, model_json_);
    has_model = has_model || model;
    if (!usage || !read_usage(reader.text(value))) continue;
    patch.replace(value.begin, value.end, {});
    append_full_usage(chunk, reader.text(value), seen_->usage, cost);
  }
  if (!has_model) {
    patch.replace(members.close(), members.close(), ",\"model\":");
    chunk += model_json_;
  }
  patch.finish();
  return chunk;
}

Usage ChunkRewriter::estimated_usage(int64_t prompt_tokens) const {
  Usage usage;
  usage.prompt_tokens = prompt_tokens;
  usage.reasoning_tokens = reasoning_tally_.tokens();
  usage.completion_tokens = tally_.tokens() + usage.reasoning_tokens;
  usage.source = Usage::Source::estimated;
  return usage;
}

// A chunk of this stream up to its choices.
std::string ChunkRewriter::open_chunk() const {
  std::string text = "{\"id\":";
  text += id_json_.empty() ? "\"\"" : id_json_;
  text += api_ == Api::completions ? R"(,"object":"text_completion","created":)"
                                   : R"(,"object":"chat.completion.chunk","created":)";
  text += created_.empty() ? "0" : created_;
  return text + ",\"model\":" + model_json_ + ",\"choices\":[";
}

std::string ChunkRewriter::final_usage_chunk(std::string_view cost) const {
  if (!seen_) return {};
  std::string text;
  if (seen_->chunk.empty()) {
    text = open_chunk() + "],\"usage\":";
    append_full_usage(text, seen_->json.view(), seen_->usage, cost);
    text += '}';
  } else {
    text = kept_usage_chunk(cost);
  }
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

std::string ChunkRewriter::final_usage_chunk(const Usage& usage, std::string_view cost) const {
  std::string text = open_chunk() + "],\"usage\":";
  append_usage_json(text, usage, cost);
  return text + "}";
}

std::string ChunkRewriter::note_chunk(std::string_view members) const {
  return open_chunk() + "]," + std::string(members) + "}";
}

bool ChunkRewriter::said_nothing() const {
  return !saw_finish_reason_ && tally_.empty() && reasoning_tally_.empty() &&
         std::ranges::none_of(choices_, &Choice::called_tools);
}

bool ChunkRewriter::needs_closing() const {
  bool begun = false;
  for (const Choice& choice : choices_) {
    if (choice.begun && !choice.finished) return true;
    begun = begun || choice.begun;
  }
  return !begun;
}

std::string ChunkRewriter::closing_chunk(std::string_view reason) const {
  std::string text = open_chunk();
  const auto close = [&](size_t index, const Choice& choice) {
    const std::string_view own = choice.called_tools      ? "tool_calls"
                                 : choice.called_function ? "function_call"
                                                          : "stop";
    if (text.back() != '[') text += ',';
    text += "{\"index\":" + std::to_string(index);
    if (api_ == Api::completions)
      text += ",\"text\":\"\"";
    else
      text += choice.begun ? ",\"delta\":{}" : ",\"delta\":{\"role\":\"assistant\"}";
    text += ",\"logprobs\":null,\"finish_reason\":\"";
    text.append(reason.empty() ? own : reason).append("\"}");
  };
  bool begun = false;
  for (size_t i = 0; i < choices_.size(); ++i) {
    if (choices_[i].begun && !choices_[i].finished) close(i, choices_[i]);
    begun = begun || choices_[i].begun;
  }
  if (!begun) close(0, Choice{});
  return text + "]}";
}

}  // namespace deeppool::llm
