#include "llm/openai/request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "llm/limits.h"
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

ByteRange null_limit(const RequestView& view, OutputLimit limit) {
  return limit.field == "max_tokens" ? view.null_max_tokens : view.null_max_completion_tokens;
}

void splice_limit(SplicedBody& out, const RequestView& view, OutputLimit limit) {
  const ByteRange null = null_limit(view, limit);
  std::string text;
  if (null.empty()) text.append(",\"").append(limit.field).append("\":");
  base::append_int(text, limit.tokens);
  const std::string_view owned = out.own(std::move(text));
  if (null.empty()) {
    out.insert(view.close_brace, owned);
  } else {
    out.replace(null.begin, null.end, owned);
  }
}

// In the order in which members are added at the end.
enum class Edit { model, stream_options, limit };

}  // namespace

int64_t RequestView::estimated_prompt_tokens() const {
  return (features.text_chars + kCharsPerToken - 1) / kCharsPerToken + overhead_tokens(*this);
}

int64_t RequestView::reservable_prompt_tokens() const {
  return (features.text_bytes + kCharsPerToken - 1) / kCharsPerToken + overhead_tokens(*this);
}

int64_t RequestView::most_prompt_tokens() const {
  return features.text_bytes + overhead_tokens(*this);
}

Result<RequestView> parse_request(Api api, const json::PaddedBytes& body) {
  RequestParser parser(api, body, nullptr);
  if (!parser.parse()) return parser.error();
  return std::move(parser.view());
}

SplicedBody splice(const RequestView& view, std::string_view body, std::string_view upstream_model,
                   OutputLimit limit) {
  SplicedBody out(body);
  const auto place = [&](ByteRange value) {
    return value.empty() ? view.close_brace : value.begin;
  };
  std::array edits = {std::pair(view.model_value.begin, Edit::model),
                      std::pair(place(view.stream_options_value), Edit::stream_options),
                      std::pair(place(null_limit(view, limit)), Edit::limit)};
  std::ranges::sort(edits);
  for (const auto& [at, edit] : edits) {
    if (edit == Edit::model) {
      out.replace_with_string(view.model_value.begin, view.model_value.end, upstream_model);
    } else if (edit == Edit::stream_options && view.stream) {
      splice_stream_options(out, view, body);
    } else if (edit == Edit::limit && limit.tokens > 0) {
      splice_limit(out, view, limit);
    }
  }
  out.finish();
  return out;
}

int64_t count_prompt_tokens(Api api, const json::PaddedBytes& body, const Tokenizer& tokenizer) {
  RequestParser parser(api, body, &tokenizer);
  if (!parser.parse()) return 0;
  return parser.counted_tokens() + overhead_tokens(parser.view());
}

}  // namespace deeppool::llm
