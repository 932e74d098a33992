#include "base/thread_name.h"

#include <pthread.h>

#include <algorithm>

namespace deeppool::base {
namespace {
constexpr size_t kLongestName = 15;
}

void name_this_thread(std::string name) {
  name.resize(std::min(name.size(), kLongestName));
  pthread_setname_np(pthread_self(), name.c_str());
}

}  // namespace deeppool::base
