#include "provider/anthropic/claude_models.h"

#include "provider/name_pattern.h"

namespace deeppool::provider::anthropic {
namespace {

constexpr std::string_view kNovember = "2026-11-15";

// Sources: platform.claude.com, the models overview, "What's new in Claude 4.6" (no prefill), the
// structured outputs page (4.5 and later) and the migration guides of 4.7, 5 and Fable 5.
constexpr ClaudeModel kModels[] = {
    {"*claude-3-7*", 64000, Sampling::all, true, false, false, kNovember},
    {"*claude-3-5*", 8192, Sampling::all, true, false, false, kNovember},
    {"*claude-3-*", 4096, Sampling::all, true, false, false, kNovember},
    {"*claude-opus-4-20*", 32000, Sampling::all, true, false, false, kNovember},
    {"*claude-opus-4-0*", 32000, Sampling::all, true, false, false, kNovember},
    {"*claude-sonnet-4-20*", 64000, Sampling::all, true, false, false, kNovember},
    {"*claude-sonnet-4-0*", 64000, Sampling::all, true, false, false, kNovember},
    {"*claude-opus-4-1*", 32000, Sampling::one, true, false, false, kNovember},
    {"*claude-*-4-5*", 64000, Sampling::one, true, true, false, kNovember},
    {"*claude-*-4-6*", 64000, Sampling::one, false, true, false, kNovember},
    {"*claude-*", 64000, Sampling::none, false, true, true, kNovember},  // 4.7 and later
    {"*", 8192, Sampling::all, true, false, false, kNovember},
};

}  // namespace

const ClaudeModel& find_claude(std::string_view upstream_model) {
  const std::string_view name = upstream_model.substr(upstream_model.rfind('/') + 1);
  for (const ClaudeModel& row : kModels) {
    if (fits_pattern(row.models, name)) return row;
  }
  return kModels[std::size(kModels) - 1];
}

}  // namespace deeppool::provider::anthropic
