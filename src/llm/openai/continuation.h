// Continuation: fits the chunks of another upstream behind those of a stream that broke off, so
// that its caller sees one stream. Made at the seam, on the stream's loop; fed with house chunks,
// makes house chunks for the ChunkRewriter that has seen the stream from its start. Only for
// answers of one choice that had called no tool: nobody can go on inside of a tool's arguments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json/reader.h"

namespace deeppool::llm {

// What the caller has been shown of an answer.
struct Said {
  std::string text;       // without reasoning; decoded
  bool reasoned = false;  // some reasoning was shown
  std::string id_json;    // of the stream, quoted; may be empty
  std::string created;    // its number; may be empty
};

class Continuation {
 public:
  enum class How : uint8_t {
    fresh,     // nothing of the text was shown: it may begin as it likes
    prefix,    // the upstream was given the text and goes on behind it
    repeated,  // it says all again: what was shown is compared and left out
  };
  enum class Fit : uint8_t {
    chunk,     // `out` has a chunk
    nothing,   // there is nothing in it for the caller
    as_it_is,  // no chunk: [DONE], an error, a ping
    diverged,  // it does not say again what was shown
  };

  Continuation(How how, Said said);
  // `event_data` as for ChunkRewriter::feed. Appends to `out`.
  Fit fit(std::string_view event_data, std::string& out);

 private:
  struct Parts;
  bool read_chunk(json::Reader& reader, Parts& parts);
  bool read_choices(json::Reader& reader, Parts& parts);
  bool read_choice(json::Reader& reader, Parts& parts);
  bool read_delta(json::Reader& reader, Parts& parts);
  // The part of a text that was not shown yet; false if it differs from what was.
  bool take_text(std::string_view text, std::string& fresh);

  const How how_;
  const Said said_;
  size_t repeated_ = 0;  // bytes of said_.text that came again
  std::string scratch_;
};

std::string_view to_string(Continuation::How how);

}  // namespace deeppool::llm
