// The reader takes what another parser takes (lone surrogates and huge exponents apart), and its
// offsets stay inside.
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "json/padded.h"
#include "json/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace deeppool::json;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const PaddedBytes padded(text);
  Reader reader(padded.view());
  const Range range = reader.skip();
  const bool ours = reader.finish();
  if (range.begin > range.end || range.end > size || reader.error_position() > size) std::abort();
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code ec;
  boost::json::parse(text, ec, {}, options);
  const bool theirs = !ec;
  const bool beyond_them =
      ec == boost::json::error::exponent_overflow || text.find("\\u") != std::string_view::npos;
  if (ours != theirs && !(ours && beyond_them)) std::abort();
  return 0;
}
