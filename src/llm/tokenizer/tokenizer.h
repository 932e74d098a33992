// Tokenizer: exact byte-pair encoding counts for one vocabulary (o200k_base, cl100k_base), and
// Tokenizers, the set that the program loads at start. Immutable, shared by all threads.
// The file (made by tools/tokenizer_ranks/) is a ready hash table that is mapped, not read: loading
// is O(1) and untouched pages cost no memory. Linear-ish in the text, whatever the text: O(n log
// n).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::llm {

class RankTable;

class Tokenizer {
 public:
  // Errors: unavailable, with the path and the reason in `detail`.
  static Result<std::unique_ptr<const Tokenizer>> load(const std::string& path);
  ~Tokenizer();

  // Tokens of `utf8` as ordinary text (special tokens such as <|endoftext|> are spelled out). Bytes
  // that are not UTF-8 count as bytes. Thread-safe.
  int64_t count(std::string_view utf8) const;

  // Counts only a front part of `utf8` whose tokens cannot change whatever text follows, and says
  // how long that part is in `consumed` (0 if there is none).
  int64_t count_settled(std::string_view utf8, size_t& consumed) const;

 private:
  explicit Tokenizer(std::unique_ptr<const RankTable> ranks);

  std::unique_ptr<const RankTable> ranks_;
};

class Tokenizers {
 public:
  // Loads o200k_base.bin and cl100k_base.bin out of `directory`.
  static Result<Tokenizers> load(const std::string& directory);

  // By the upstream's name of the model, a vendor prefix ("openai/gpt-4") left aside. For models of
  // other families the count is an approximation by o200k_base.
  const Tokenizer& for_model(std::string_view upstream_model) const;

 private:
  std::unique_ptr<const Tokenizer> o200k_;
  std::unique_ptr<const Tokenizer> cl100k_;
};

}  // namespace deeppool::llm
