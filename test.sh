#!/usr/bin/env bash
# Builds and tests DeepPool.
#   ./test.sh                  every test on the dev build, at most 25 minutes on two cores
#   ./test.sh unit|integration|simulation|e2e|tidy [ctest options]     one kind of them
#   ./test.sh asan | tsan      unit, integration and simulation tests under that sanitizer
#   ./test.sh full             all of the above, one after the other, and what takes long
set -euo pipefail
cd "$(dirname "$0")"

kind=${1:-all}
(($#)) && shift
options=("$@")
jobs=$(nproc)

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
say() { printf '\n== %s\n' "$*"; }

# Whatever this script starts it also stops, however it ends.
servers_dir=
stop_servers() {
  if [[ -n $servers_dir ]]; then tools/test_servers.sh stop "$servers_dir" || true; rm -rf "$servers_dir"; fi
  servers_dir=
}
trap stop_servers EXIT
trap 'exit 130' INT TERM

start_servers() {
  if [[ -n $servers_dir || ! -x tools/test_servers.sh ]]; then return; fi
  servers_dir=$(mktemp -d)
  local exports
  exports=$(tools/test_servers.sh start "$servers_dir")
  eval "$exports"
}

build() {
  local preset=$1
  say "build $preset"
  local began=$SECONDS
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" -- -j "$jobs" --quiet
  echo "built in $((SECONDS - began)) s"
}

failed=()
summary=()
# run <preset> <label regex> <title>: ctest, and its own closing lines kept for ours.
run() {
  local preset=$1 labels=$2 title=$3 began=$SECONDS status=0 log
  say "$title"
  log=$(mktemp)
  ctest --test-dir "build/$preset" -L "$labels" -j "$jobs" --output-on-failure --no-tests=error \
    "${options[@]}" 2>&1 | tee "$log" || status=$?
  summary+=("-- $title: $((SECONDS - began)) s" "$(sed -n '/tests passed\|No tests were found/,$p' "$log")")
  rm -f "$log"
  if ((status)); then failed+=("$title"); fi
}

case $kind in
  all)
    build dev; start_servers
    run dev 'tidy|unit|integration|simulation|e2e' all ;;
  unit|tidy) build dev; run dev "^$kind\$" "$kind" ;;
  integration|simulation|e2e) build dev; start_servers; run dev "^$kind\$" "$kind" ;;
  asan|tsan) build "$kind"; start_servers; run "$kind" 'unit|integration|simulation' "$kind" ;;
  full)
    start_servers
    build dev; run dev 'tidy|unit|integration|simulation|e2e' dev
    run dev '^full$' long
    for preset in asan tsan; do build $preset; run $preset 'unit|integration|simulation' $preset; done ;;
  *) usage ;;
esac

say "summary ($SECONDS s in all)"
if ((${#failed[@]})); then echo "FAILED: ${failed[*]}"; else echo "all passed"; fi
printf '%s\n' "${summary[@]}"
((${#failed[@]} == 0))
