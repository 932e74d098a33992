# Compiler, warnings, sanitizers: one place. CMakePresets.json chooses the values.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

set(DEEPPOOL_SANITIZE "" CACHE STRING "address, thread or empty")
option(DEEPPOOL_FUZZ "instrument for libFuzzer and build the fuzz targets with it" OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
                    -fno-omit-frame-pointer -gz
                    "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
add_link_options(-fuse-ld=lld)

if(DEEPPOOL_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(DEEPPOOL_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
endif()
if(DEEPPOOL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

include_directories("${CMAKE_SOURCE_DIR}/src")
