#!/usr/bin/env bash
# Brings a DeepPool database to the newest schema. Safe to run again at any time.
#   ./update_db.sh --config config/manager.yaml
#   ./update_db.sh --host H --user U --password P --database D      (or DEEPPOOL_MYSQL__PASSWORD=P)
#   ./update_db.sh --data-dir ./data                                 SQLite
# Further options: --file F (that migration only), --from NNN (begin there), --dry-run (show, do nothing).
# It stops at the first failure and prints the command that resumes.
set -euo pipefail
cd "$(dirname "$0")"

program=
for candidate in dist/platform/bin/migrate build/release/bin/migrate build/dev/bin/migrate; do
  if [[ -x $candidate ]]; then program=$candidate; break; fi
done
if [[ -z $program ]]; then
  echo "update_db: no migrate program; build it with ./build.sh backend" >&2
  exit 1
fi

# A password among the flags of a process can be read by every user of the machine while it runs, so it
# leaves this script by the environment. (This script's own flags still show; the variable never does.)
hide=0
arguments=()
while (($#)); do
  case $1 in
    --password) export DEEPPOOL_MYSQL__PASSWORD=${2-}; hide=1; shift ;;
    --password=*) export DEEPPOOL_MYSQL__PASSWORD=${1#*=}; hide=1 ;;
    -h) arguments+=(--help) ;;
    *) arguments+=("$1") ;;
  esac
  (($#)) && shift
done

# What the program prints as the command that resumes.
DEEPPOOL_MIGRATE_COMMAND=./update_db.sh
if ((hide)); then DEEPPOOL_MIGRATE_COMMAND="DEEPPOOL_MYSQL__PASSWORD=... ./update_db.sh"; fi
export DEEPPOOL_MIGRATE_COMMAND
exec "$program" "${arguments[@]}"
