// The real vocabularies, for tests, benchmarks and fuzz targets. They are made by the build.
#pragma once

#include <stdexcept>

#include "llm/tokenizer/tokenizer.h"

namespace deeppool::llm {

inline const Tokenizers& test_tokenizers() {
  static const Tokenizers all = [] {
    auto loaded = Tokenizers::load(DEEPPOOL_TOKENIZERS);
    if (!loaded) throw std::runtime_error(loaded.error().detail);
    return *std::move(loaded);
  }();
  return all;
}

}  // namespace deeppool::llm
