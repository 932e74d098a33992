// From the tree of a policy's YAML to the Policy, with every fault that there is.
#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "routing/limits.h"
#include "routing/policy.h"

namespace deeppool::routing {
namespace {

constexpr std::array kStrategies = {LoadBalance::least_inflight, LoadBalance::round_robin,
                                    LoadBalance::weighted,       LoadBalance::lowest_latency,
                                    LoadBalance::lowest_cost,    LoadBalance::cache_affinity};

// What faults repeat of a text that somebody else wrote.
std::string quoted(std::string_view text) {
  std::string out = "`";
  for (const char c : text.substr(0, kMaxRuleNameBytes)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  // A character that was cut in the middle goes as a whole.
  while (!base::valid_utf8(out)) out.pop_back();
  return out + (text.size() > kMaxRuleNameBytes ? "...`" : "`");
}

class Reader {
 public:
  Reader(std::span<const std::string> children, Naming naming, ReadPolicy& out)
      : children_(children), naming_(naming), out_(out), policy_(out.policy) {}

  void read(const YamlNode& root) {
    if (root.kind == YamlNode::Kind::null) return;
    if (!expect_map(root, "the policy")) return;
    const YamlNode* weights = nullptr;
    for (const auto& [key, line, value] : root.members) {
      if (key == "load_balance") {
        read_strategy(value);
      } else if (key == "max_inflight_per_deepnode_child") {
        read_count(key, value, policy_.max_inflight_per_deepnode_child);
      } else if (key == "rules") {
        read_rules(value);
      } else if (key == "default_targets") {
        policy_.default_targets = read_targets(value, "default_targets");
      } else if (key == "weights") {
        weights = &value;
      } else {
        unknown(line, key,
                "load_balance, max_inflight_per_deepnode_child, rules, default_targets, weights");
      }
    }
    if (weights != nullptr) read_weights(*weights);
  }

 private:
  void fault(int line, std::string what) {
    if (out_.faults.size() == kMaxFaults) return;
    const auto place = std::ranges::upper_bound(out_.faults, line, {}, &Fault::line);
    out_.faults.insert(place, {line, std::move(what)});
  }
  void unknown(int line, std::string_view key, const char* known) {
    fault(line, quoted(key) + " is not a key here; there are " + known);
  }
  bool expect_map(const YamlNode& node, std::string_view what) {
    if (node.kind == YamlNode::Kind::map) return true;
    fault(node.line, std::string(what) + " must be keys with values");
    return false;
  }
  bool expect_list(const YamlNode& node, std::string_view what) {
    if (node.kind == YamlNode::Kind::list) return true;
    fault(node.line, std::string(what) + " must be a list");
    return false;
  }

  void read_strategy(const YamlNode& node) {
    const auto same = [&](LoadBalance s) { return to_string(s) == node.text; };
    const auto found = std::ranges::find_if(kStrategies, same);
    if (node.kind == YamlNode::Kind::scalar && found != kStrategies.end()) {
      policy_.load_balance = *found;
      return;
    }
    std::string known;
    for (const LoadBalance s : kStrategies) {
      known += (known.empty() ? "" : ", ") + std::string(to_string(s));
    }
    fault(node.line, "`load_balance` must be one of " + known);
  }

  bool read_count(std::string_view key, const YamlNode& node, int64_t& value, int64_t min = 0,
                  int64_t max = kMaxCount) {
    const auto number = base::parse_int<int64_t>(node.text);
    const bool plain = node.kind == YamlNode::Kind::scalar && !node.quoted;
    if (plain && number && *number >= min && *number <= max) {
      value = *number;
      return true;
    }
    fault(node.line, quoted(key) + " must be a whole number from " + std::to_string(min) + " to " +
                         std::to_string(max));
    return false;
  }
  void read_flag(std::string_view key, const YamlNode& node, std::optional<bool>& value) {
    const bool plain = node.kind == YamlNode::Kind::scalar && !node.quoted;
    if (plain && (node.text == "true" || node.text == "false")) {
      value = node.text == "true";
      return;
    }
    fault(node.line, quoted(key) + " must be true or false");
  }

  void read_rules(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::null || !expect_list(node, "`rules`")) return;
    if (node.items.size() > kMaxRules) {
      fault(node.line, "at most " + std::to_string(kMaxRules) + " rules");
      return;
    }
    for (const YamlNode& item : node.items) read_rule(item);
  }

  void read_rule(const YamlNode& node) {
    if (!expect_map(node, "a rule")) return;
    Rule rule;
    bool has_name = false;
    bool has_targets = false;
    for (const auto& [key, line, value] : node.members) {
      if (key == "name") {
        has_name = true;
        read_name(value, rule.name);
      } else if (key == "condition") {
        read_condition(value, rule.condition);
      } else if (key == "targets") {
        has_targets = true;
        rule.targets = read_targets(value, "targets");
        if (value.kind == YamlNode::Kind::list && value.items.empty()) {
          fault(value.line, "`targets` of a rule must name at least one child");
        }
      } else {
        unknown(line, key, "name, condition, targets");
      }
    }
    if (!has_name) fault(node.line, "a rule needs a `name`");
    if (!has_targets) fault(node.line, "a rule needs `targets`");
    // Of a policy for many hybrids: nothing that this one has.
    if (naming_ == Naming::anything && rule.targets.empty()) return;
    policy_.rules.push_back(std::move(rule));
  }

  void read_name(const YamlNode& node, std::string& name) {
    const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (node.kind != YamlNode::Kind::scalar || node.text.empty() ||
        node.text.size() > kMaxRuleNameBytes || std::ranges::any_of(node.text, control)) {
      fault(node.line, "`name` must be text of 1 to " + std::to_string(kMaxRuleNameBytes) +
                           " bytes on one line");
      return;
    }
    const auto [earlier, fresh] = rule_names_.emplace(node.text, node.line);
    if (!fresh) {
      fault(node.line, "the rule " + quoted(node.text) + " is in line " +
                           std::to_string(earlier->second) + " already");
    }
    name = node.text;
  }

  void read_condition(const YamlNode& node, Condition& c) {
    if (node.kind == YamlNode::Kind::null || !expect_map(node, "`condition`")) return;
    for (const auto& [key, line, value] : node.members) {
      if (key == "has_tools") {
        read_flag(key, value, c.has_tools);
      } else if (key == "has_reasoning") {
        read_flag(key, value, c.has_reasoning);
      } else if (key == "has_vision") {
        read_flag(key, value, c.has_vision);
      } else if (int64_t* end = end_of_range(key, c)) {
        read_count(key, value, *end);
      } else {
        unknown(line, key,
                "min_input_tokens, max_input_tokens, has_tools, has_reasoning, has_vision, "
                "min_tool_count, max_tool_count, min_image_count, max_image_count");
      }
    }
    check_possible(node, c);
  }

  static int64_t* end_of_range(std::string_view key, Condition& c) {
    if (key == "min_input_tokens") return &c.input_tokens.min;
    if (key == "max_input_tokens") return &c.input_tokens.max;
    if (key == "min_tool_count") return &c.tool_count.min;
    if (key == "max_tool_count") return &c.tool_count.max;
    if (key == "min_image_count") return &c.image_count.min;
    if (key == "max_image_count") return &c.image_count.max;
    return nullptr;
  }

  static int line_of(const YamlNode& condition, std::string_view key) {
    for (const YamlMember& m : condition.members) {
      if (m.key == key) return m.line;
    }
    return condition.line;
  }

  // A condition that nothing meets is a mistake.
  void check_possible(const YamlNode& node, const Condition& c) {
    const auto crossed = [&](const Range& range, const std::string& what) {
      if (range.min <= range.max) return;
      fault(std::max(line_of(node, "min_" + what), line_of(node, "max_" + what)),
            "`min_" + what + "` is above `max_" + what + "`: nothing can match");
    };
    crossed(c.input_tokens, "input_tokens");
    crossed(c.tool_count, "tool_count");
    crossed(c.image_count, "image_count");
    if ((c.has_tools == true && c.tool_count.max == 0) ||
        (c.has_tools == false && c.tool_count.min > 0)) {
      fault(line_of(node, "has_tools"), "`has_tools` and the tool count contradict each other");
    }
    if (c.has_vision == true && c.image_count.max == 0) {
      fault(line_of(node, "has_vision"), "`has_vision` and the image count contradict each other");
    }
  }

  std::optional<uint16_t> child(const YamlNode& node) {
    const auto found = std::ranges::find(children_, node.text);
    if (found != children_.end()) return static_cast<uint16_t>(found - children_.begin());
    if (naming_ == Naming::children) {
      fault(node.line, quoted(node.text) + " is not a child of this model");
    }
    return std::nullopt;
  }

  Targets read_targets(const YamlNode& node, std::string_view what) {
    Targets targets;
    if (node.kind == YamlNode::Kind::null && what == "default_targets") return targets;
    if (!expect_list(node, quoted(what))) return targets;
    for (const YamlNode& item : node.items) {
      if (item.kind != YamlNode::Kind::scalar) {
        fault(item.line, "a target must be a model's name");
        continue;
      }
      const auto place = child(item);
      if (!place) continue;
      if (std::ranges::find(targets, *place) != targets.end()) {
        fault(item.line, quoted(item.text) + " is named twice");
        continue;
      }
      targets.push_back(*place);
    }
    return targets;
  }

  void read_weights(const YamlNode& node) {
    if (!expect_map(node, "`weights`")) return;
    if (policy_.load_balance != LoadBalance::weighted) {
      fault(node.line, "`weights` are for `load_balance: weighted`");
    }
    policy_.weights.assign(children_.size(), 1);
    for (const auto& [key, line, value] : node.members) {
      int64_t weight = 1;
      if (!read_count(key, value, weight, 1, kMaxWeight)) continue;
      YamlNode name;
      name.line = line;
      name.text = key;
      if (const auto place = child(name)) policy_.weights[*place] = weight;
    }
  }

  std::span<const std::string> children_;
  Naming naming_;
  ReadPolicy& out_;
  Policy& policy_;
  std::map<std::string, int> rule_names_;  // with their lines
};

}  // namespace

ReadPolicy read_policy(std::string_view yaml, std::span<const std::string> children,
                       Naming naming) {
  ReadPolicy out;
  YamlNode root;
  Fault fault;
  if (!read_yaml(yaml, root, fault)) {
    out.faults.push_back(std::move(fault));
    return out;
  }
  Reader(children, naming, out).read(root);
  return out;
}

}  // namespace deeppool::routing
