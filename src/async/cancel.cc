#include "async/cancel.h"

namespace deeppool::async {

CancelHook::CancelHook(CancelScope& scope, Call call, void* context)
    : scope_(&scope), call_(call), context_(context) {
  if (scope.cancelled_) {
    scope_ = nullptr;
    call_(context_);
    return;
  }
  next_ = scope.first_;
  if (next_ != nullptr) next_->previous_ = this;
  scope.first_ = this;
}

void CancelHook::unlink() {
  if (scope_ == nullptr) return;
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else {
    scope_->first_ = next_;
  }
  if (next_ != nullptr) next_->previous_ = previous_;
  scope_ = nullptr;
}

void CancelScope::cancel(CancelReason reason) {
  if (!cancelled_) reason_ = reason;
  cancelled_ = true;
  while (first_ != nullptr) {
    CancelHook* hook = first_;
    hook->unlink();
    hook->call_(hook->context_);
  }
}

}  // namespace deeppool::async
