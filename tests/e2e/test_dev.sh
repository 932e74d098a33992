#!/usr/bin/env bash
# A newcomer's first hour with ./dev.sh, on programs that are built already.
#   tests/e2e/test_dev.sh BUILD_DIR
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:?the build directory}" && pwd)
cd "$root"

folder=$(mktemp -d)
data=$folder/data
running=
end() {
  if [[ -n $running ]]; then kill -INT "$running" 2>/dev/null || true; wait "$running" || true; fi
  rm -rf "$folder"
}
trap end EXIT

# What our own shell has set must not reach the programs.
unset DP_ADMIN_PASSWORD "${!DEEPPOOL_@}"
port=$((20000 + RANDOM % 10000))
fail() { printf 'test_dev: %s\n' "$@" >&2; exit 1; }
dev() { ./dev.sh --build "$build" --data "$data" --port "$port" "$@"; }
kept() { sed -n "s/^$1=//p" "$data/dev.env"; }
# expect <status> <text> <command...>: how it ends and what it says.
expect() {
  local status=0 said
  said=$("${@:3}" 2>&1) || status=$?
  [[ $status == "$1" ]] || fail "'${*:3}' ended with $status, not $1:" "$said"
  [[ $said == *"$2"* ]] || fail "'${*:3}' does not say '$2':" "$said"
}

expect 2 "no web consoles yet" ./dev.sh platformweb
expect 2 "no client" ./dev.sh client
expect 2 "neither a part nor an option" ./dev.sh --frobnicate
expect 1 "there is no program" ./dev.sh --check --build "$folder" --data "$folder/none"

expect 0 "the demo model answers" dev --check
[[ $(stat -c %a "$data" "$data/dev.env") == $'700\n600' ]] || fail "others can read $data"
key=$(kept DP_KEY)
expect 0 "the demo model answers" dev --check
[[ $(kept DP_KEY) == "$key" ]] || fail "a second run made another key"

# A run for somebody at a terminal: what it prints works, and Ctrl-C leaves nothing behind.
: >"$folder/said"
./dev.sh --build "$build" --data "$data" --port "$port" >"$folder/said" 2>&1 &
running=$!
for _ in {1..300}; do
  if grep -q "Ctrl-C stops it" "$folder/said" || ! kill -0 "$running" 2>/dev/null; then break; fi
  sleep 0.1
done
for text in "$key" "$(kept DP_ADMIN_PASSWORD)" "$(kept DP_URL)/v1"; do
  grep -qF -- "$text" "$folder/said" || fail "it does not print '$text':" "$(<"$folder/said")"
done
line=$(sed -n '/^  curl/,/}.$/p' "$folder/said")
[[ $(bash -c "$line" 2>/dev/null) == *"data: [DONE]"* ]] || fail "this does not stream an answer:" "$line"
expect 1 "uses the data directory" dev --check
port=$(kept DP_URL); port=${port##*:}
expect 0 "port $port is taken; using" dev --check --data "$folder/other"
children=$(pgrep -P "$running")
kill -INT "$running"
status=0; wait "$running" || status=$?
running=
[[ $status == 0 ]] || fail "Ctrl-C ended it with $status:" "$(<"$folder/said")"
for pid in $children; do
  if kill -0 "$pid" 2>/dev/null; then fail "process $pid outlived dev.sh"; fi
done

# A password that was changed elsewhere.
said=$(DEEPPOOL_DATA_DIR=$data "$build/bin/deeppool" admin reset-password)
expect 1 "does not accept the password" dev --check
DP_ADMIN_PASSWORD=$(sed -n 's/^password: //p' <<<"$said") expect 0 "the demo model answers" dev --check
expect 0 "the demo model answers" dev --check
echo "test_dev: passed"
