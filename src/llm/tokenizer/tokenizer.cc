#include "llm/tokenizer/tokenizer.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "llm/limits.h"
#include "llm/tokenizer/byte_pairs.h"
#include "llm/tokenizer/pretokenizer.h"
#include "llm/tokenizer/rank_table.h"

namespace deeppool::llm {

namespace {

// Model families with the older vocabulary, as of November 2026 (tiktoken/model.py). The first
// match wins; what is not listed is o200k_base (gpt-4o, gpt-4.1, gpt-5, o1 and later) or not
// OpenAI's.
struct Family {
  std::string_view prefix;
  bool cl100k;
};
constexpr auto kFamilies = std::to_array<Family>({
    {"gpt-4o", false},
    {"gpt-4.", false},
    {"gpt-4", true},
    {"gpt-3.5", true},
    {"gpt-35", true},  // Azure
    {"text-embedding", true},
    {"davinci-002", true},
    {"babbage-002", true},
});

// Pieces on which the count of settled text may still depend: white space is cut by what follows
// it, at most three pieces back.
constexpr size_t kUnsettledPieces = 3;

int64_t count_piece(BytePairs& pairs, const RankTable& ranks, std::string_view piece) {
  if (ranks.rank(piece) != RankTable::kNone) return 1;
  int64_t tokens = 0;
  while (!piece.empty()) {
    tokens += pairs.count(piece.substr(0, kMaxPieceBytes));
    piece.remove_prefix(std::min(piece.size(), kMaxPieceBytes));
  }
  return tokens;
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<const RankTable> ranks) : ranks_(std::move(ranks)) {}
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<const Tokenizer>> Tokenizer::load(const std::string& path) {
  DP_TRY(auto ranks, RankTable::map(path));
  return std::unique_ptr<const Tokenizer>(new Tokenizer(std::move(ranks)));
}

int64_t Tokenizer::count(std::string_view utf8) const {
  BytePairs pairs(*ranks_);
  PreTokenizer pieces(*ranks_, utf8);
  int64_t tokens = 0;
  for (auto piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
    tokens += count_piece(pairs, *ranks_, piece);
  }
  return tokens;
}

int64_t Tokenizer::count_settled(std::string_view utf8, size_t& consumed) const {
  BytePairs pairs(*ranks_);
  PreTokenizer pieces(*ranks_, utf8);
  std::array<std::string_view, kUnsettledPieces> waiting;
  int64_t tokens = 0;
  size_t turn = 0;
  consumed = 0;
  for (auto piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
    const std::string_view settled = std::exchange(waiting[turn], piece);
    turn = (turn + 1) % kUnsettledPieces;
    if (settled.empty()) continue;
    tokens += count_piece(pairs, *ranks_, settled);
    consumed += settled.size();
  }
  return tokens;
}

Result<Tokenizers> Tokenizers::load(const std::string& directory) {
  Tokenizers all;
  DP_TRY(all.o200k_, Tokenizer::load(directory + "/o200k_base.bin"));
  DP_TRY(all.cl100k_, Tokenizer::load(directory + "/cl100k_base.bin"));
  return all;
}

const Tokenizer& Tokenizers::for_model(std::string_view upstream_model) const {
  const size_t slash = upstream_model.rfind('/');
  if (slash != std::string_view::npos) upstream_model.remove_prefix(slash + 1);
  for (const Family& family : kFamilies) {
    if (base::iequals(upstream_model.substr(0, family.prefix.size()), family.prefix)) {
      return family.cl100k ? *cl100k_ : *o200k_;
    }
  }
  return *o200k_;
}

}  // namespace deeppool::llm
