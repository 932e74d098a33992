// What a candidate says, as members of a house message or delta; shared by whole answers and
// streams. Pure.
#pragma once

#include <string>
#include <string_view>

#include "provider/gemini/answer.h"

namespace deeppool::provider::gemini {

// `,"name":value` for what is there. Thoughts stand before the content, all else behind it.
void append_thoughts(std::string& out, const CandidatePiece& piece);
void append_extra_members(std::string& out, const CandidatePiece& piece);
// The house's word, quoted. `calls`: how many the answer made; a full stop then is one for them.
std::string_view finish_text(Finish finish, int calls);
// A house error for an answer that ended as none should. `word`: Gemini's finishReason.
std::string broken_answer(std::string_view word);
// {"error":{...}} with the vendor's own words, from its error object.
std::string house_error(std::string_view error);

}  // namespace deeppool::provider::gemini
