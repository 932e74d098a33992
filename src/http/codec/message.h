// Heads of HTTP/1.1 messages as parsed: views into the bytes they came from, which the owner keeps.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/block_pool.h"
#include "base/text.h"

namespace deeppool::http {

enum class Method { get, head, post, put, patch, del, options, other };
std::string_view to_string(Method method);

struct Header {
  std::string_view name;
  std::string_view value;  // without white space at its ends
};

class Headers {
 public:
  // The first field of that name, case-insensitive.
  std::optional<std::string_view> find(std::string_view name) const {
    for (const Header& h : fields_) {
      if (base::iequals(h.name, name)) return h.value;
    }
    return std::nullopt;
  }
  void add(Header header) {
    if (fields_.capacity() == 0) fields_.reserve(kUsualHeaders);
    fields_.push_back(header);
  }
  void clear() { fields_.clear(); }
  size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  static constexpr size_t kUsualHeaders = 12;  // of SDKs and of upstreams: one allocation
  std::vector<Header, base::PoolAllocator<Header>> fields_;
};

// How the body's end is found (RFC 9112, section 6).
enum class Framing { none, length, chunked, until_close };

struct RequestHead {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;  // origin-form: starts with '/'
  int minor_version = 1;    // of HTTP/1.x
  Headers headers;
  Framing framing = Framing::none;
  uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

struct ResponseHead {
  int status = 0;
  Headers headers;
  Framing framing = Framing::none;
  uint64_t content_length = 0;
  bool keep_alive = true;
};

}  // namespace deeppool::http
