// CancelScope: "the caller is gone" (or "we are shutting down") for one request. Whoever can be
// stopped hooks itself in; cancel() calls each hook once. Loop-local, no allocation. Cancelling
// makes pending I/O end with ErrorCode::cancelled; it never destroys a coroutine, so destructors
// and settlement run as on every exit.
#pragma once

namespace deeppool::async {

class CancelScope;

// Intrusive entry; leaves the scope in its destructor. Must not outlive the scope.
class CancelHook {
 public:
  using Call = void (*)(void* context);
  // Called at once if the scope is cancelled already.
  CancelHook(CancelScope& scope, Call call, void* context);
  CancelHook(const CancelHook&) = delete;
  CancelHook& operator=(const CancelHook&) = delete;
  ~CancelHook() { unlink(); }
  void unlink();

 private:
  friend class CancelScope;
  CancelScope* scope_;
  Call call_;
  void* context_;
  CancelHook* next_ = nullptr;
  CancelHook* previous_ = nullptr;
};

enum class CancelReason { caller_gone, shutting_down };

class CancelScope {
 public:
  CancelScope() = default;
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;
  // The first reason stays.
  void cancel(CancelReason reason);
  bool cancelled() const { return cancelled_; }
  CancelReason reason() const { return reason_; }  // only when cancelled

 private:
  friend class CancelHook;
  CancelHook* first_ = nullptr;
  CancelReason reason_ = CancelReason::caller_gone;
  bool cancelled_ = false;
};

}  // namespace deeppool::async
