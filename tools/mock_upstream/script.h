// Script: which behaviour a request asks for, and its parameters. Written into the model's name,
// `mock-slow:delay_ms=200,tokens=5`, or into the header `x-mock: slow;delay_ms=200;tokens=5`, which
// wins. A plain value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deeppool::mock {

struct Script {
  std::string behaviour = "ok";
  std::vector<std::pair<std::string, std::string>> params;

  std::string_view text(std::string_view name, std::string_view otherwise) const;
  // `otherwise` also for what is not a whole number.
  int64_t number(std::string_view name, int64_t otherwise) const;
  std::chrono::milliseconds ms(std::string_view name, int64_t otherwise) const {
    return std::chrono::milliseconds(number(name, otherwise));
  }
};

// Model names that do not start with `mock-` (or are `mock`) mean `ok`. A provider prefix as in
// `org/mock-cut` is skipped, and so is a model's name before a plus, `claude-x+mock-cut`, for those
// who look at it.
Script parse_model_script(std::string_view model);
Script parse_header_script(std::string_view header);

}  // namespace deeppool::mock
