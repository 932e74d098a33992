#!/usr/bin/env bash
# Installs the Debian 12 packages that DeepPool is built and tested with.
#   tools/install_packages.sh [build|test|bench]     default: build and test
# Quick when nothing is missing: it asks dpkg first and touches apt only for what is not there.
set -euo pipefail

build_packages=(
  clang-19 clang-tidy-19 clang-format-19 lld-19 llvm-19 libclang-rt-19-dev
  cmake ninja-build ccache pkg-config git curl ca-certificates python3
  libboost1.81-dev libboost-json1.81-dev libsimdjson-dev libyaml-cpp-dev libssl-dev libcrypt-dev
  libspdlog-dev libfmt-dev libcli11-dev libsqlite3-dev libmariadb-dev
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev
)
# mariadb-server-core, not mariadb-server: the programs without the system service.
test_packages=(mariadb-server-core mariadb-client redis-server nginx-light python3-venv jq openssl procps)
bench_packages=(nginx-light strace valgrind openssl util-linux python3)

fail() { echo "install_packages: $*" >&2; exit 1; }

case "${1:-all}" in
  build) wanted=("${build_packages[@]}") ;;
  test) wanted=("${test_packages[@]}") ;;
  bench) wanted=("${bench_packages[@]}") ;;
  all) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  *) echo "usage: tools/install_packages.sh [build|test|bench]" >&2; exit 2 ;;
esac

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
  fail "this system has no apt; DeepPool is built on Debian 12 or newer. Install by hand: ${wanted[*]}"

# The tokenizer files are made with node, the e2e tests fetch their own Node with npm: any version will do.
if [[ "${1:-all}" == @(all|build|test) ]] && ! { command -v node && command -v npm; } >/dev/null; then
  wanted+=(nodejs npm)
fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  [[ $status == ii* ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "install_packages: everything is here (${#wanted[@]} packages)"
  exit 0
fi
echo "install_packages: installing ${missing[*]}"

if [[ $(id -u) == 0 ]]; then as_root=(); else
  command -v sudo >/dev/null || fail "run it as root, or install sudo; missing: ${missing[*]}"
  as_root=(sudo)
fi

# A package that brings a service (nginx) must not start it: tests start their own, on their own ports.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi

"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "${missing[@]}" ||
  fail "apt could not install them; DeepPool is built on Debian 12 (clang-19, Boost 1.81)"
