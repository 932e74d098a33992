#include "routing/policy_yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/text.h"
#include "routing/limits.h"

namespace deeppool::routing {
namespace {

// Leaves the library's parser from inside its callbacks; caught in read_yaml.
struct Refusal {
  Fault fault;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode root;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) refuse(mark, "a second document begins here; one is allowed");
    started_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, "", anchor);
    if (wants_key()) refuse(mark, "a key is empty");
    take({YamlNode::Kind::null, line_of(mark), {}, false, {}, {}});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not supported");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    check(mark, tag, anchor);
    if (wants_key()) return take_key(mark, text);
    take({YamlNode::Kind::scalar, line_of(mark), text, tag == "!", {}, {}});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YamlNode node;
    std::optional<std::string> key;  // waiting for its value
    int key_line = 1;
  };

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }
  [[noreturn]] static void refuse(const YAML::Mark& mark, std::string what) {
    throw Refusal{{line_of(mark), std::move(what)}};
  }
  static void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) refuse(mark, "anchors (&name) are not supported");
    // "?" and "!" are the library's own marks for plain and quoted.
    if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "tags (!name) are not supported");
  }
  bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::map && !open_.back().key;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    check(mark, tag, anchor);
    if (wants_key()) refuse(mark, "a key must be a name");
    if (open_.size() >= kMaxPolicyDepth) refuse(mark, "nested too deeply");
    open_.push_back({{kind, line_of(mark), {}, false, {}, {}}, {}, 1});
  }
  void close() {
    YamlNode done = std::move(open_.back().node);
    open_.pop_back();
    take(std::move(done));
  }

  void take_key(const YAML::Mark& mark, const std::string& name) {
    Frame& frame = open_.back();
    const auto same = [&](const YamlMember& m) { return m.key == name; };
    if (std::ranges::any_of(frame.node.members, same)) {
      refuse(mark, "the key `" + name.substr(0, kMaxRuleNameBytes) + "` is given twice");
    }
    frame.key = name;
    frame.key_line = line_of(mark);
  }

  // A whole value goes to whatever is open around it.
  void take(YamlNode node) {
    if (++nodes_ > kMaxPolicyNodes) throw Refusal{{node.line, "too many values"}};
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    Frame& frame = open_.back();
    if (frame.node.kind == YamlNode::Kind::list) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    frame.node.members.push_back({std::move(*frame.key), frame.key_line, std::move(node)});
    frame.key.reset();
  }

  std::vector<Frame> open_;
  size_t nodes_ = 0;
  bool started_ = false;
};

}  // namespace

bool read_yaml(std::string_view text, YamlNode& root, Fault& fault) {
  if (text.size() > kMaxPolicyBytes) {
    fault = {1, "too long; at most " + std::to_string(kMaxPolicyBytes / 1024) + " KiB"};
    return false;
  }
  if (!base::valid_utf8(text)) {
    fault = {1, "not UTF-8 text"};
    return false;
  }
  TreeBuilder builder;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    fault = refusal.fault;
    return false;
  } catch (const YAML::Exception& e) {
    fault = {e.mark.is_null() ? 1 : e.mark.line + 1, "not valid YAML: " + e.msg};
    return false;
  }
  root = std::move(builder.root);
  return true;
}

}  // namespace deeppool::routing
