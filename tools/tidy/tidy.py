#!/usr/bin/env python3
"""Holds the tree to its own rules: layers, bans with reasons, sizes, readable folders, sound scripts.

  tools/tidy/tidy.py [--root DIR] [--notes]

Prints `file:line: rule: reason` and exits 1 when a rule is broken; --notes adds what is only advice.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bans  # noqa: E402
import layers  # noqa: E402
import sizes  # noqa: E402
from source import Finding, Source  # noqa: E402

SKIP = re.compile(r"(^|/)(build|dist|node_modules|\.git|\.venv|__pycache__|corpora|testdata)/")
BINARY = (".png", ".ico", ".gz", ".woff2", ".pdf", ".tiktoken", ".bin")


def list_files(root):
    """Every file that is or would be committed; without git, every file."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
                            capture_output=True, text=True, check=False)
    if listed.returncode == 0 and (Path(root) / ".git").exists():
        names = listed.stdout.splitlines()
    else:
        names = [p.relative_to(root).as_posix() for p in Path(root).rglob("*") if p.is_file()]
    return sorted(n for n in names
                  if not SKIP.search(n) and not n.endswith(BINARY) and n != "LICENSE"
                  and (Path(root) / n).is_file())


def check_readmes(sources):
    paths = {s.path for s in sources}
    modules = {p.split("/")[1] for p in paths if p.startswith("src/") and p.count("/") >= 2}
    for module in sorted(modules):
        if f"src/{module}/README.md" not in paths:
            yield Finding(f"src/{module}", 1, "readme",
                          "no README.md: what it is, key types, where to look, what never to do")


def check_scripts(root, sources):
    scripts = [s for s in sources if s.path.endswith(".sh") or
               s.text.startswith(("#!/usr/bin/env bash", "#!/bin/bash"))]
    for script in scripts:
        done = subprocess.run(["bash", "-n", str(Path(root) / script.path)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            yield Finding(script.path, 1, "bash", done.stderr.strip().splitlines()[0])


def findings(root, table=None, rows=None):
    if table is None:
        table = tomllib.loads((HERE.parent / "layers.toml").read_text(encoding="utf-8"))
    if rows is None:
        rows = tomllib.loads((HERE / "bans.toml").read_text(encoding="utf-8"))["ban"]
    sources = [Source(root, path) for path in list_files(root)]
    yield from layers.check(layers.Layers(table), sources)
    yield from bans.check([bans.Ban(row) for row in rows], sources)
    yield from sizes.check(sources)
    yield from check_readmes(sources)
    yield from check_scripts(root, sources)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=HERE.parent.parent, type=Path)
    parser.add_argument("--notes", action="store_true", help="print advice too")
    options = parser.parse_args()
    everything = sorted(findings(options.root), key=lambda f: (f.path, f.line))
    broken = [f for f in everything if not f.soft]
    notes = [f for f in everything if f.soft]
    for finding in broken + (notes if options.notes else []):
        print(finding)
    print(f"tidy: {len(broken)} broken rules, {len(notes)} notes")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
