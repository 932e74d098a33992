// RequestText: the bytes of the requests of one run, made once; only the nonce and the trace differ
// from one request to the next.
#pragma once

#include <string>

#include "loadgen/exchange.h"
#include "loadgen/settings.h"

namespace deeppool::load {

class RequestText {
 public:
  // Errors: the body file cannot be read, or lacks the word NONCE although nonces are wanted.
  static Result<RequestText> from(const Settings& settings, const Target& target);
  std::string make(const Exchange& exchange) const;

 private:
  std::string head_;    // up to the fields that differ
  std::string before_;  // of the body, up to the nonce's place
  std::string after_;
  bool traced_ = false;
};

}  // namespace deeppool::load
