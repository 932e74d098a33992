#!/usr/bin/env bash
# Where DeepPool's CPU goes: perf over the stand of the benchmarks, the top functions by self time.
#   bench/profile.sh [request|request_64k|stream|flood] [seconds]     default: request 5
# Needs perf (package linux-perf) and the programs of a release build (bench/run.sh makes them).
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 bench/profile.py "$@"
