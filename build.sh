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
started=$SECONDS
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"

out=dist/platform
rm -rf "$out"
mkdir -p "$out/bin"
programs=()
for app in apps/*/CMakeLists.txt; do
  [[ -e $app ]] || continue
  name=$(basename "$(dirname "$app")")
  [[ -x build/$preset/bin/$name ]] || continue
  install -m 755 "build/$preset/bin/$name" "$out/bin/$name"
  programs+=("$name")
done
# The programs look for share/ beside their bin/.
for folder in config build/share; do
  if [[ -d $folder ]]; then cp -r "$folder" "$out/$(basename "$folder")"; fi
done
echo "build.sh: ${programs[*]:-no programs yet} ($preset) in $out after $((SECONDS - started)) s"
