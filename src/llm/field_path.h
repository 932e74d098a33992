// FieldPath: where in a caller's request a translation stands ("messages[2].content[0]"), and the
// first thing that it found wrong there. Lives on the stack of one translation; it grows and
// shrinks with the walk through its Steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "json/padded.h"
#include "json/shallow.h"

namespace deeppool::llm {

class FieldPath {
 public:
  // One step down, for as long as it lives.
  class Step {
   public:
    Step(FieldPath& path, std::string_view member);
    Step(FieldPath& path, size_t index);
    ~Step() { path_.path_.resize(length_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    FieldPath& path_;
    const size_t length_;
  };

  // All return false, or whether the value is what it must be.
  bool refuse(std::string_view what);
  bool refuse(std::string_view member, std::string_view what);
  bool expect(json::Value value, json::Kind kind);
  bool expect(std::string_view member, json::Value value, json::Kind kind);

  // The integer from 1 to `most` that `value` must be.
  std::optional<int64_t> expect_count(json::Value value, int64_t most);

  bool failed() const { return error_.has_value(); }
  // After a refusal.
  Error error() const { return *error_; }

 private:
  std::string path_;
  std::optional<Error> error_;
};

// As a refusal says it: "an object".
std::string_view name_of(json::Kind kind);

// The object that a request body is. Errors: invalid_request, with the byte position.
Result<json::ShallowObject> read_body(const json::PaddedBytes& body);

}  // namespace deeppool::llm
