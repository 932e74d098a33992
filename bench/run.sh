#!/usr/bin/env bash
# The benchmarks against nginx, one command:
#   bench/run.sh              every row
#   bench/run.sh request_1k sse_flood     only these
#   bench/run.sh --list       what there is
#   bench/run.sh --pairs 2 --seconds 2    shorter runs
# Builds the release programs, prints a table at the end and writes build/bench/results.json.
set -euo pipefail
cd "$(dirname "$0")/.."

for arg in "$@"; do
  if [[ $arg == --list || $arg == --help ]]; then exec python3 bench/run.py "$@"; fi
done
tools/install_packages.sh bench
cmake --preset release >/dev/null
targets=(mock_upstream loadgen)
[[ -d apps/deeppool ]] && targets+=(deeppool)
ninja -C build/release "${targets[@]}" >/dev/null
exec python3 bench/run.py "$@"
