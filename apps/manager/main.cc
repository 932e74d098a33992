#include "apps/platform/program.h"

int main(int argc, char** argv) {
  return deeppool::platform::run_program("manager", argc, argv);
}
