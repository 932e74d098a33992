#include "chaosgate/toxics.h"

#include "base/text.h"

namespace deeppool::chaos {
namespace {

struct Setting {
  std::string_view name;
  int64_t Flow::* member;
};
constexpr Setting kSettings[] = {
    {"delay_ms", &Flow::delay_ms},   {"bandwidth", &Flow::bandwidth},
    {"slice", &Flow::slice},         {"corrupt_every", &Flow::corrupt_every},
    {"stop", &Flow::stop},           {"swallow", &Flow::swallow},
    {"cut_after", &Flow::cut_after},
};

int64_t* find(Toxics& toxics, std::string_view name) {
  if (name == "refuse") return &toxics.refuse;
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const std::string_view side = name.substr(0, dot);
  if (side != "up" && side != "down") return nullptr;
  Flow& flow = side == "up" ? toxics.up : toxics.down;
  for (const Setting& setting : kSettings) {
    if (setting.name == name.substr(dot + 1)) return &(flow.*setting.member);
  }
  return nullptr;
}

}  // namespace

Result<void> Toxics::set(std::string_view assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) return Error::invalid("command", "wanted: name=value");
  const std::string_view name = assignment.substr(0, equals);
  int64_t* const slot = find(*this, name);
  if (slot == nullptr) return Error::invalid("command", "unknown: " + std::string(name));
  const auto value = base::parse_int<int64_t>(assignment.substr(equals + 1));
  if (!value || *value < 0) return Error::invalid("command", "wanted a number of 0 or more");
  *slot = *value;
  return {};
}

void corrupt(std::string& bytes, int64_t every, int64_t position) {
  if (every <= 0) return;
  for (char& byte : bytes) {
    if (++position % every == 0) byte = static_cast<char>(byte ^ 1);
  }
}

}  // namespace deeppool::chaos
