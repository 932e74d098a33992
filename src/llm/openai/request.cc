#include "llm/openai/request.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <span>
#include <utility>
#include <vector>

#include "base/text.h"
#include "llm/limits.h"
#include "llm/openai/request_fields.h"
#include "llm/openai/request_parser.h"

namespace deeppool::llm {

namespace {

int64_t overhead_tokens(const RequestView& view) {
  const Features& f = view.features;
  int64_t tokens = f.image_count * kTokensPerImage + f.input_token_ids;
  if (view.api == Api::chat_completions) {
    tokens += f.message_count * kTokensPerMessage + kTokensPerReply;
  }
  return tokens;
}

void splice_stream_options(SplicedBody& out, const RequestView& view, std::string_view body) {
  const ByteRange options = view.stream_options_value;
  const ByteRange include = view.include_usage_value;
  if (options.empty()) {
    out.insert(view.close_brace, R"(,"stream_options":{"include_usage":true})");
  } else if (!include.empty()) {
    out.replace(include.begin, include.end, "true");
  } else if (body[options.begin] != '{') {  // null
    out.replace(options.begin, options.end, R"({"include_usage":true})");
  } else {
    out.insert(options.begin + 1, view.stream_options_has_members ? R"("include_usage":true,)"
                                                                  : R"("include_usage":true)");
  }
}

// The number in a field of the caller's, or `field` itself.
bool has_number(std::string_view body, ByteRange value) {
  return !value.empty() && body[value.begin] != 'n';
}

// One thing that is new in a body, and where.
struct Edit {
  enum class What { model, stream_options, text } what = What::text;
  ByteRange where;
  std::string_view text = {};
};

// From front to back; of two at one place the one that came first.
class Edits {
 public:
  void add(const Edit& edit) {
    assert(count_ < edits_.size());
    size_t at = count_++;
    for (; at > 0 && edits_[at - 1].where.begin > edit.where.begin; --at) {
      edits_[at] = edits_[at - 1];
    }
    edits_[at] = edit;
  }
  // What only few requests have.
  void add_all(SplicedBody& out, std::span<const TextEdit> more) {
    if (more.empty()) return;
    many_.assign(edits_.begin(), edits_.begin() + static_cast<ptrdiff_t>(count_));
    for (const TextEdit& edit : more)
      many_.push_back({.where = edit.where, .text = out.own(edit.text)});
    std::ranges::sort(many_, {},
                      [](const Edit& edit) { return std::pair(edit.where.begin, edit.where.end); });
  }
  std::span<const Edit> all() const {
    return many_.empty() ? std::span<const Edit>(edits_.data(), count_) : many_;
  }

 private:
  std::array<Edit, 7> edits_{};
  size_t count_ = 0;
  std::vector<Edit> many_;
};

void add_limit(Edits& edits, SplicedBody& out, const RequestView& view, std::string_view body,
               OutputLimit limit) {
  if (limit.tokens == 0) return;
  std::string number = std::to_string(limit.tokens);
  const ByteRange fields[] = {view.max_tokens_value, view.max_completion_tokens_value};
  bool any = false;
  for (const ByteRange value : fields) {
    if (!has_number(body, value)) continue;
    edits.add({.where = value, .text = out.own(number)});
    any = true;
  }
  if (any) return;
  const ByteRange named = fields[limit.field == "max_tokens" ? 0 : 1];
  if (!named.empty()) {
    edits.add({.where = named, .text = out.own(std::move(number))});
    return;
  }
  std::string member = ",\"";
  member.append(limit.field).append("\":").append(number);
  edits.add({.where = {view.close_brace, view.close_brace}, .text = out.own(std::move(member))});
}

}  // namespace

int64_t RequestView::estimated_prompt_tokens() const {
  return (features.text_chars + kCharsPerToken - 1) / kCharsPerToken + overhead_tokens(*this);
}

int64_t RequestView::reservable_prompt_tokens() const {
  return (features.text_bytes + kCharsPerToken - 1) / kCharsPerToken + overhead_tokens(*this);
}

int64_t RequestView::most_prompt_tokens() const {
  return features.text_bytes + overhead_tokens(*this) + most_beyond_estimates();
}

int64_t RequestView::most_beyond_estimates() const {
  return features.other_bytes + features.image_count * (kMostTokensPerImage - kTokensPerImage) +
         features.document_count * kMostTokensPerDocument +
         (features.audio_bytes + kAudioBytesPerToken - 1) / kAudioBytesPerToken;
}

Result<RequestView> parse_request(Api api, const json::PaddedBytes& body) {
  RequestParser parser(api, body, nullptr);
  if (!parser.parse()) return parser.error();
  return std::move(parser.view());
}

bool gives(const RequestView& view, std::string_view name) {
  const Field* field = find_field(view.api, name);
  return field != nullptr && (view.fields >> field->bit & 1) != 0;
}

SplicedBody splice(const RequestView& view, std::string_view body, const Splicing& splicing) {
  SplicedBody out(body);
  Edits edits;
  const ByteRange end{view.close_brace, view.close_brace};
  edits.add({.what = Edit::What::model, .where = view.model_value});
  if (view.stream) {
    const ByteRange options = view.stream_options_value;
    edits.add({.what = Edit::What::stream_options, .where = options.empty() ? end : options});
  }
  add_limit(edits, out, view, body, splicing.limit);
  if (!splicing.last_message.empty()) {
    const ByteRange behind{view.messages_end, view.messages_end};
    edits.add({.where = behind, .text = out.own("," + std::string(splicing.last_message))});
  }
  if (!splicing.members.empty()) {
    edits.add({.where = end, .text = out.own(std::string(splicing.members))});
  }
  edits.add_all(out, splicing.edits);
  uint32_t done = 0;
  for (const Edit& edit : edits.all()) {
    if (edit.where.begin < done) continue;  // taken away together with what is around it
    done = edit.where.end;
    switch (edit.what) {
      case Edit::What::model:
        out.replace_with_string(edit.where.begin, edit.where.end, splicing.model);
        break;
      case Edit::What::stream_options:
        splice_stream_options(out, view, body);
        break;
      case Edit::What::text:
        out.replace(edit.where.begin, edit.where.end, edit.text);
        break;
    }
  }
  out.finish();
  return out;
}

int64_t count_prompt_tokens(Api api, const json::PaddedBytes& body, const Tokenizer& tokenizer,
                            int64_t counted_bytes) {
  RequestParser parser(api, body, &tokenizer, counted_bytes);
  if (!parser.parse()) return 0;
  return parser.counted_tokens() + overhead_tokens(parser.view());
}

}  // namespace deeppool::llm
