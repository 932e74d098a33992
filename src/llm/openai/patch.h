// Patch: copies a text to a string with edits on the way, front to back. MemberPatch does the same
// for the members of one JSON object, so that removing and adding members leaves valid commas.
// Both live on the stack of one rewrite.
#pragma once

#include <string>
#include <string_view>

#include "json/reader.h"

namespace deeppool::llm {

class Patch {
 public:
  Patch(std::string_view source, std::string& out) : source_(source), out_(out) {}

  void replace(size_t begin, size_t end, std::string_view text) {
    copy_until(begin);
    out_.append(text);
    done_ = end;
  }
  void erase(size_t begin, size_t end) { replace(begin, end, {}); }
  // Everything before `end` is in the output then, and `out()` may be appended to directly.
  void copy_until(size_t end) {
    out_.append(source_.data() + done_, end - done_);
    done_ = end;
  }
  void skip_to(size_t offset) { done_ = offset; }
  // Where the byte at `offset`, which no edit comes before any more, will be in the output.
  size_t out_offset(size_t offset) const { return out_.size() + (offset - done_); }
  void finish() { copy_until(source_.size()); }

  std::string& out() { return out_; }

 private:
  std::string_view source_;
  std::string& out_;
  size_t done_ = 0;
};

class MemberPatch {
 public:
  // `brace`: where the object opens.
  MemberPatch(Patch& patch, size_t brace) : patch_(patch), last_end_(brace + 1) {}
  // For an object whose members up to `last_end` were copied already.
  static MemberPatch resume(Patch& patch, size_t last_end) {
    MemberPatch edit(patch, last_end - 1);
    edit.kept_any_ = true;
    return edit;
  }

  // Before the value of a member that stays.
  void keep(const json::Members& member) {
    if (leading_gap_) patch_.erase(last_end_, member.key_begin());
    leading_gap_ = false;
    kept_any_ = true;
  }
  // After it.
  void kept_until(size_t value_end) { last_end_ = value_end; }
  // Removes the member whose value ended there.
  void remove_until(size_t value_end) {
    patch_.erase(last_end_, value_end);
    last_end_ = value_end;
    leading_gap_ = !kept_any_;
  }
  // At the closing brace: `member` is `"name":value`.
  void add(size_t close, std::string_view member) {
    patch_.replace(close, close, kept_any_ ? "," : "");
    patch_.out().append(member);
    kept_any_ = true;
  }

 private:
  Patch& patch_;
  size_t last_end_;
  bool kept_any_ = false;
  bool leading_gap_ = false;  // members were removed, and none is kept yet
};

}  // namespace deeppool::llm
