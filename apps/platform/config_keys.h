// The table of configuration keys: path, where the value goes, what is accepted, what it is for.
// Parsing, environment, --check-config and docs/configuration.md all come from it. Immutable.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "apps/platform/config.h"

namespace deeppool::platform {

template <class T>
using Place = T& (*)(Config&);
using Slot = std::variant<Place<std::string>, Place<int64_t>, Place<bool>, Place<seconds>,
                          Place<std::vector<std::string>>>;

enum class Shown { yes, masked };
enum class Takes { restart, reload };  // what brings a new value into force

struct ConfigKey {
  std::string_view path;  // "server.http_addr"
  Slot slot;
  std::string_view help;
  int64_t min = 0;  // numbers and seconds
  int64_t max = 0;
  std::string_view choices{};  // "off, preferred, required"
  // Texts and items of lists: what they must be, and the test of it.
  std::string_view expected = "text";
  bool (*accepts)(std::string_view) = nullptr;
  Shown shown = Shown::yes;
  Takes takes = Takes::restart;
};
std::span<const ConfigKey> config_keys();
const ConfigKey* find_key(std::string_view path);

// Documented keys whose feature this version does not have: accepted with a warning, so that a file
// for a later version starts. Whatever lies below them is not looked at.
struct LaterKey {
  enum class Form { text, list, section };
  std::string_view path;
  std::string_view feature;
  Form form;
};
std::span<const LaterKey> later_keys();
// The row that `path` is, or lies below; null if none.
const LaterKey* find_later_key(std::string_view path);

// True if keys lie below `path`.
bool is_section(std::string_view path);

// What the key's value must be, for messages and the reference: "a whole number from 1 to 600".
std::string expectation(const ConfigKey& key);

// The paths whose values differ and that only a restart brings into force.
std::vector<std::string_view> waiting_for_restart(Config running, Config fresh);

// Puts a value into its place. False: it is not what expectation() says.
bool set_scalar(const ConfigKey& key, Config& config, std::string_view text);
bool set_list(const ConfigKey& key, Config& config, std::vector<std::string> items);
bool is_list(const ConfigKey& key);

}  // namespace deeppool::platform
