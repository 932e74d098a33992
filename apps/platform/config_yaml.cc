#include "apps/platform/config_yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <set>
#include <sstream>

#include "apps/platform/limits.h"
#include "base/text.h"

namespace deeppool::platform {
namespace {

// Leaves the library's parser from inside its callbacks; caught in read_yaml.
struct Refusal {
  int line;
  std::string what;
};

// The library calls us per event; there is no tree, so nothing can grow or loop.
class EntryCollector final : public YAML::EventHandler {
 public:
  std::vector<YamlEntry> entries;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) refuse(mark, "the file holds a second document; one is allowed");
    started_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    if (frames_.empty()) return;  // an empty file
    if (wants_key()) refuse(mark, "a key is empty");
    value(mark, YamlEntry::Kind::null, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not supported");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (frames_.empty()) refuse(mark, "expected keys and values, like \"log_level: info\"");
    if (wants_key()) {
      take_key(mark, text);
    } else {
      value(mark, YamlEntry::Kind::scalar, text);
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (frames_.empty()) refuse(mark, "expected keys and values, not a list");
    if (wants_key()) refuse(mark, "a key must be a name");
    push(mark, {Frame::list, value(mark, YamlEntry::Kind::list, ""), {}, {}, 0});
  }
  void OnSequenceEnd() override { frames_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (frames_.empty()) return push(mark, {Frame::map, kNoEntry, {}, {}, 0});
    if (wants_key()) refuse(mark, "a key must be a name");
    push(mark, {Frame::map, value(mark, YamlEntry::Kind::section, ""), {}, {}, 0});
  }
  void OnMapEnd() override { frames_.pop_back(); }

 private:
  static constexpr size_t kNoEntry = ~size_t{0};     // the root
  static constexpr size_t kUnlisted = kNoEntry - 1;  // somewhere inside a nested list
  struct Frame {
    enum Kind { map, list } kind;
    size_t entry;
    std::set<std::string> keys;      // seen in this map
    std::optional<std::string> key;  // waiting for its value
    int key_line;
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, std::string what) {
    throw Refusal{mark.line + 1, std::move(what)};
  }
  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) refuse(mark, "anchors (&name) are not supported");
  }
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    // "?" and "!" are the library's own marks for plain and quoted.
    if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "tags (!name) are not supported");
  }
  bool wants_key() const { return frames_.back().kind == Frame::map && !frames_.back().key; }

  void push(const YAML::Mark& mark, Frame frame) {
    if (frames_.size() >= kMaxConfigDepth) refuse(mark, "sections are nested too deeply");
    frames_.push_back(std::move(frame));
  }

  void take_key(const YAML::Mark& mark, const std::string& name) {
    Frame& frame = frames_.back();
    if (name.empty() || name.find('.') != std::string::npos) {
      refuse(mark, "a key must be a name without dots; write sections, like \"server: {...}\"");
    }
    if (!frame.keys.insert(name).second) refuse(mark, "the key '" + name + "' is given twice");
    frame.key = name;
    frame.key_line = mark.line + 1;
  }

  // Files a value under the frame's key or list; returns the index of its entry.
  size_t value(const YAML::Mark& mark, YamlEntry::Kind kind, const std::string& text) {
    if (++values_ > kMaxConfigEntries) refuse(mark, "too many values");
    Frame& frame = frames_.back();
    if (frame.entry == kUnlisted) {
      frame.key.reset();
      return kUnlisted;
    }
    if (frame.kind == Frame::list) {
      YamlEntry& list = entries[frame.entry];
      if (kind == YamlEntry::Kind::scalar) {
        list.items.push_back(text);
      } else {
        list.kind = YamlEntry::Kind::nested_list;
      }
      return kUnlisted;
    }
    const std::string parent = frame.entry == kNoEntry ? "" : entries[frame.entry].path + ".";
    entries.push_back({parent + *frame.key, frame.key_line, kind, text, {}});
    frame.key.reset();
    return entries.size() - 1;
  }

  std::vector<Frame> frames_;
  size_t values_ = 0;
  bool started_ = false;
};

Error at_line(int line, const std::string& what) {
  return Error(ErrorCode::invalid_request, "line " + std::to_string(line) + ": " + what);
}

}  // namespace

Result<std::vector<YamlEntry>> read_yaml(std::string_view text) {
  if (text.size() > kMaxConfigBytes) {
    return at_line(
        1, "the file is too large; at most " + std::to_string(kMaxConfigBytes / 1024) + " KiB");
  }
  if (!base::valid_utf8(text)) return at_line(1, "the file is not UTF-8 text");
  EntryCollector collector;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(collector)) {
    }
  } catch (const Refusal& refusal) {
    return at_line(refusal.line, refusal.what);
  } catch (const YAML::Exception& e) {
    return at_line(e.mark.is_null() ? 1 : e.mark.line + 1, "not valid YAML: " + e.msg);
  }
  return std::move(collector.entries);
}

}  // namespace deeppool::platform
