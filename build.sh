#!/usr/bin/env bash
# Builds DeepPool and lays out what a deployment needs in dist/platform/.
#   ./build.sh [all|backend|proto|web|client] [--preset release|dev|asan|tsan]
set -euo pipefail
cd "$(dirname "$0")"

part=all
preset=release
while (($#)); do
  case $1 in
    all|backend|proto|web|client) part=$1 ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --preset=*) preset=${1#*=} ;;
    -h|--help) sed -n '2,3s/^# *//p' "$0"; exit 0 ;;
    *) echo "build.sh: '$1' is not a part; use all, backend, proto, web or client" >&2; exit 2 ;;
  esac
  shift
done
case $part in
  proto|web|client)
    echo "build.sh: this version has no part '$part' yet; './build.sh backend' builds what there is" >&2
    exit 2 ;;
esac

command -v clang++-19 >/dev/null && command -v ninja >/dev/null || tools/install_packages.sh build
# What operators run; everything else is for developers and tests.
programs=(migrate)
for app in apps/*/main.cc; do programs+=("$(basename "$(dirname "$app")")"); done

started=$SECONDS
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" --target "${programs[@]}"

out=dist/platform
rm -rf "$out"
mkdir -p "$out/bin"
for name in "${programs[@]}"; do install -m 755 "build/$preset/bin/$name" "$out/bin/$name"; done
# The programs look for share/ beside their bin/.
for folder in config docs build/share; do
  if [[ -d $folder ]]; then cp -r "$folder" "$out/$(basename "$folder")"; fi
done
echo "build.sh: ${programs[*]} ($preset) in $out after $((SECONDS - started)) s"
