// Tells systemd how far the program is (Type=notify): the protocol of sd_notify(3), which is one
// datagram of text to the socket that NOTIFY_SOCKET names. Without it, or when nobody listens,
// nothing happens: no start may fail over it.
#pragma once

#include <string>
#include <string_view>

#include "apps/platform/config.h"

namespace deeppool::platform {

class ServiceNotifier {
 public:
  explicit ServiceNotifier(const Environment& environment);
  void ready() const { say("READY=1"); }
  void stopping() const { say("STOPPING=1"); }
  // Before a reload; ready() ends it.
  void reloading() const;

 private:
  void say(std::string_view state) const;
  std::string socket_;  // empty: not started by systemd
};

}  // namespace deeppool::platform
