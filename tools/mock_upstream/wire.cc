#include "mock_upstream/wire.h"

#include "async/parker.h"
#include "mock_upstream/limits.h"

namespace deeppool::mock {

Wire::Wire(async::Socket& socket)
    : socket_(socket), abort_(gone_, &async::Socket::abort_hook, &socket) {
  socket_.on_hangup([this] { gone_.cancel(async::CancelReason::caller_gone); });
}

Wire::~Wire() {
  socket_.on_hangup(nullptr);
}

Task<bool> Wire::send(std::string_view bytes) {
  if (peer_gone()) co_return false;
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  const base::Deadline deadline{socket_.loop().now() + kPeerTimeout};
  Result<void> sent = co_await socket_.write({&part, 1}, deadline);
  if (!sent) gone_.cancel(async::CancelReason::caller_gone);
  co_return sent.ok();
}

Task<bool> Wire::pause(std::chrono::nanoseconds time) {
  if (time.count() <= 0) co_return !peer_gone();
  const bool in_time = co_await async::sleep_for(time, gone_);
  co_return in_time;
}

}  // namespace deeppool::mock
