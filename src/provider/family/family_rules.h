// What each family of OpenAI-like vendors takes otherwise than OpenAI: data. Vendors change it
// monthly: edit the rows and their date. Their words for reasoning stand in reasoning_table.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace deeppool::provider::family {

struct FamilyRules {
  std::string_view provider_type;
  // The name of a bound on the answer, when it takes only one; empty: both, as the caller wrote.
  std::string_view limit_field;
  // Models (name_pattern.h) that this name is for; empty: all of them.
  std::span<const std::string_view> limit_models;
  bool takes_developer = false;               // the role
  int max_stop = 0;                           // sequences; 0: as many as the house takes
  bool temperature_to_one = false;            // not up to 2
  bool fetches_urls = true;                   // of pictures
  bool takes_json_schema = true;              // as a response_format; else json_object is said
  std::span<const std::string_view> refused;  // parameters
  std::span<const std::string_view> refused_models;  // those that refuse them; empty: all
  std::string_view as_of;
  std::string_view source;
};

// Whether reasoning_content goes back to a model in earlier messages.
enum class ReasoningBack : uint8_t {
  as_sent,
  never,       // it is refused
  with_calls,  // a message that called tools must have it, be it empty
};
ReasoningBack reasoning_back(std::string_view provider_type, std::string_view upstream_model);

// An unknown type is treated as `custom`.
const FamilyRules& rules_for(std::string_view provider_type);
std::span<const FamilyRules> all_rules();

}  // namespace deeppool::provider::family
