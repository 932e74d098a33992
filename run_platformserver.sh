#!/usr/bin/env bash
# Runs a server program of dist/platform/ (./build.sh makes it) with its file in config/.
#   ./run_platformserver.sh [manager] [options of the program, such as --check-config]
set -euo pipefail
cd "$(dirname "$0")"

refuse() { echo "run_platformserver.sh: $*" >&2; exit "${status:-2}"; }

part=manager
case ${1:-} in
  manager) shift ;;
  nodemanager) refuse "this version has no device pool yet, so there is no nodemanager; 'manager' is what there is" ;;
  experiment) refuse "this version has no judges and datasets yet, so there is no experiment server; 'manager' is what there is" ;;
  -h|--help) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 0 ;;
  ""|-*) ;;
  *) refuse "'$1' is no server; use manager, nodemanager or experiment" ;;
esac

program=dist/platform/bin/$part
[[ -x $program ]] || status=1 refuse "there is no $program; build it with ./build.sh backend"
exec "$program" --config "config/$part.yaml" "$@"
