// The envelope of /api/v1: {"code":0,"message":"ok","data":...}, and for errors the HTTP status as
// `code`, the message, and in `data` the kind of error, the field at fault and when to try again.
// Pure but for answer(), which runs on the exchange's loop. One table says which ErrorCode is which
// status.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "base/error.h"
#include "http/server/exchange.h"

namespace deeppool::webapi {

int status_of(ErrorCode code);
std::string ok_body(const boost::json::value& data);
// Only what callers may know: never error.detail. `status` is the one that it is sent with.
std::string error_body(const Error& error, int status);
// An optional number as a member: null for nothing.
inline boost::json::value or_null(const std::optional<int64_t>& value) {
  return value ? boost::json::value(*value) : boost::json::value();
}

// Sends the value, or the error with its status; an internal error's detail goes to the log.
Task<void> answer(http::Exchange& x, Result<boost::json::value> result);
// For ServerHooks::answer_error on paths below /api/.
Task<void> answer_error(http::Exchange& x, Error error);

}  // namespace deeppool::webapi
