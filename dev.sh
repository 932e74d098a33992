#!/usr/bin/env bash
# Builds DeepPool and runs it on this machine with a demo model that needs no provider account.
#   ./dev.sh [all|platform]      until Ctrl-C; loopback only, its files in ./data
#   ./dev.sh --check             starts it, tries the demo model, stops it; the exit status says how it went
# Options: --port N (8080, or the next free one), --data DIR, --preset NAME (dev; release is slower to build and
# faster to run), --build DIR (programs that are built already).
set -euo pipefail
cd "$(dirname "$0")"

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; }
refuse() { echo "dev.sh: $*" >&2; exit 2; }
value() { (($# > 1)) && [[ -n $2 ]] || refuse "$1 needs a value"; }

part=
preset=dev
build=
options=()
while (($#)); do
  case $1 in
    all|platform) [[ -z $part ]] || refuse "one part at a time; '$part' and '$1' were given"; part=$1 ;;
    platformweb) refuse "this version has no web consoles yet, only the platform: ./dev.sh platform" ;;
    client) refuse "this version has no client for contributors' machines yet, only the platform: ./dev.sh platform" ;;
    --check) options+=(--check) ;;
    --port|--data) value "$@"; options+=("$1" "$2"); shift ;;
    --preset) value "$@"; preset=$2; shift ;;
    --build) value "$@"; build=$2; shift ;;
    -h|--help) usage; exit 0 ;;
    *) usage >&2; refuse "'$1' is neither a part nor an option" ;;
  esac
  shift
done

if [[ -z $build ]]; then
  tools/install_packages.sh build
  build=build/$preset
  echo "dev.sh: building (preset $preset); the first time takes some minutes"
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" --target deeppool mock_upstream
fi
exec python3 tools/dev/dev.py --build "$build" "${options[@]}"
