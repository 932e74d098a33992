// MemberEdits: edits of the members of one JSON object such that taking some away leaves its commas
// right. Lives on the stack of one walk over the object.
#pragma once

#include <vector>

#include "json/reader.h"
#include "llm/openai/request.h"

namespace deeppool::provider::family {

class MemberEdits {
 public:
  // `brace`: where the object opens.
  MemberEdits(std::vector<llm::TextEdit>& edits, uint32_t brace)
      : edits_(edits), last_end_(brace + 1) {}

  // Before the value of a member that stays, and edits inside it.
  void keep(const json::Members& member) {
    if (leading_gap_) erase(last_end_, member.key_begin());
    leading_gap_ = false;
    kept_any_ = true;
  }
  // After it.
  void kept_until(uint32_t value_end) { last_end_ = value_end; }
  // Takes the member away whose value ended there.
  void remove_until(uint32_t value_end) {
    erase(last_end_, value_end);
    last_end_ = value_end;
    leading_gap_ = !kept_any_;
  }
  // At the closing brace: `member` is `"name":value`.
  void add(uint32_t close, std::string member) {
    edits_.push_back({{close, close}, (kept_any_ ? "," : "") + std::move(member)});
    kept_any_ = true;
  }

 private:
  void erase(uint32_t begin, uint32_t end) { edits_.push_back({{begin, end}, {}}); }

  std::vector<llm::TextEdit>& edits_;
  uint32_t last_end_;
  bool kept_any_ = false;
  bool leading_gap_ = false;  // members were taken away, and none is kept yet
};

}  // namespace deeppool::provider::family
