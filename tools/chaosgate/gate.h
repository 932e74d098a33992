// Gate: accepts connections, opens one to the server for each, and pumps both ways through the
// toxics. One loop, one thread; `Gate::start` runs it in a thread of its own.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <thread>

#include "async/listener.h"
#include "async/task_group.h"
#include "chaosgate/toxics.h"

namespace deeppool::chaos {

class Gate {
 public:
  // `to`: IP:PORT. Listens on free ports of 127.0.0.1. Errors: a bad address, no port.
  static Result<std::unique_ptr<Gate>> start(const std::string& to, uint16_t port);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  uint16_t port() const { return listener_->port(); }
  uint16_t control_port() const { return control_->port(); }

 private:
  struct Link;
  enum class How { reset, in_order };

  explicit Gate(async::Address to) : to_(to) {}
  Task<void> accept_all();
  Task<void> accept_controls();
  Task<void> serve(std::shared_ptr<Link> link);
  Task<void> pump(std::shared_ptr<Link> link, const Flow& flow);
  Task<bool> pass(Link& link, const Flow& flow, std::string bytes);
  Task<void> control(std::unique_ptr<async::Socket> socket);
  std::string obey(std::string_view command);
  void end_all(How how);
  Task<void> shut_down();

  const async::Address to_;
  Toxics toxics_;
  async::Loop loop_;
  async::TaskGroup group_{loop_};
  async::TaskGroup stopper_{loop_};
  async::CancelScope stopping_;
  std::unique_ptr<async::Listener> listener_;
  std::unique_ptr<async::Listener> control_;
  std::set<Link*> links_;
  std::set<async::Socket*> controls_;
  int64_t accepted_ = 0;
  int64_t refused_ = 0;
  int64_t up_bytes_ = 0;
  int64_t down_bytes_ = 0;
  std::thread thread_;
};

}  // namespace deeppool::chaos
