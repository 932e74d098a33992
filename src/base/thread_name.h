// What `top -H`, perf and a debugger call the calling thread; Linux keeps its first 15 bytes.
#pragma once

#include <string>

namespace deeppool::base {

void name_this_thread(std::string name);

}  // namespace deeppool::base
