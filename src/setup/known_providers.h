// What is publicly known of providers and their models, as dated rows: a help for setting up, never
// a source of prices that are charged. Data and nothing else. A field that no source says is 0 or
// empty.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace deeppool::setup {

// As published, per million tokens, in decimal digits; empty: not said.
struct PublishedPrice {
  int64_t max_input_tokens = 0;  // for prompts up to this; 0: any longer one
  std::string_view input;
  std::string_view output;
  std::string_view cached = "";       // read from a cache
  std::string_view cache_write = "";  // written to one, at its shortest life
};

struct KnownModel {
  std::string_view id;
  int64_t context = 0;     // tokens
  int64_t max_output = 0;  // tokens
  bool reasoning = false;
  bool tools = false;
  bool vision = false;
  std::string_view currency;  // of `prices`; ISO 4217, empty without any
  std::span<const PublishedPrice> prices;
  std::string_view as_of;  // ISO date, or year and month
  std::string_view source;
  std::string_view note = "";
};

struct KnownProvider {
  std::string_view id;
  std::string_view name;
  std::string_view provider_type;  // what an endpoint of it is made with
  std::string_view base_url;
  bool needs_key = true;
  std::string_view keys_url;  // where a person gets one
  std::string_view as_of;
  std::string_view source;
  std::span<const KnownModel> models;
};

std::span<const KnownProvider> known_providers();

}  // namespace deeppool::setup
