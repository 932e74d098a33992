"""Runs the rows and prints the table. See README.md; start it through run.sh, which builds first."""

import argparse
import contextlib
import dataclasses
import json
import math
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import rows
import stand


class Bench:
    """What the rows work with: the running programs, and how long and how often to measure."""

    def __init__(self, options):
        self.pairs = options.pairs
        self.seconds = options.seconds
        self.results = stand.ROOT / "build" / "bench"
        self.results.mkdir(parents=True, exist_ok=True)
        # On the disk of the build tree: a spool in memory would flatter us.
        self.work = Path(tempfile.mkdtemp(prefix="work-", dir=self.results))
        self.has_deeppool = (stand.BIN / "deeppool").exists()
        self._programs = contextlib.ExitStack()
        self._programs.callback(shutil.rmtree, self.work, ignore_errors=True)
        self._cert = stand.certificate(self.work)

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.callback(self._programs.close)
            self.mock = self._keep(stand.Mock())
            self._tls_mock = self._keep(stand.Mock(self._cert))
            self.contenders = [self._keep(program) for program in self.fresh()]
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self._programs.close()

    def _keep(self, program):
        self._programs.callback(program.stop)
        return program

    def new_directory(self):
        return Path(tempfile.mkdtemp(dir=self.work))

    def start_deeppool(self, work):
        return stand.DeepPool(work, self._cert)

    def new_deeppool(self, wrap=(), binary=stand.BIN / "deeppool"):
        """`wrap`: a command line that runs `binary` for us."""
        work = self.prepared(rows.NOTHING_MORE)
        return stand.DeepPool(work, self._cert, [*wrap, binary])

    def prepared(self, fill):
        """A directory with DeepPool's configuration and filled database."""
        work = self.new_directory()
        stand.prepare_deeppool(work, self._cert, (self.mock, self._tls_mock), rows.MODELS, fill)
        return work

    def fresh(self):
        """New processes of every contender; the caller stops them."""
        made = [self.new_deeppool()] if self.has_deeppool else []
        made.append(stand.Nginx(self.new_directory(), (self.mock, self._tls_mock), self._cert))
        return made


def number(value):
    if value is None or math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"


def table(lines):
    head = ("what", "DeepPool", "nginx", "ratio", "goal", "", "unit", "note")
    body = [(line.what, number(line.ours), number(line.reference), number(line.ratio),
             number(line.goal), {None: "", True: "met", False: "MISSED"}[line.met], line.unit,
             line.note) for line in lines]
    widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
    rule = tuple("-" * w for w in widths)
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip()
                     for row in [head, rule, *body])


def defaults():
    """Options as without arguments."""
    return arguments([])


def arguments(given=None):
    parser = argparse.ArgumentParser(prog="bench/run.sh")
    parser.add_argument("rows", nargs="*", help="default: all")
    parser.add_argument("--list", action="store_true", help="print the rows' names")
    parser.add_argument("--pairs", type=int, default=3, help="interleaved runs of each contender")
    parser.add_argument("--seconds", type=float, default=4, help="measured time of one run")
    options = parser.parse_args(given)
    unknown = set(options.rows) - set(rows.ROWS)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(rows.ROWS)}")
    return options


def main():
    options = arguments()
    if options.list:
        for name, row in rows.ROWS.items():
            print(f"{name:14} {(row.__doc__ or '').strip()}".rstrip())
        return 0
    bench = Bench(options)
    if not bench.has_deeppool:
        print("no deeppool binary: only the reference is measured", file=sys.stderr)
    lines, broken = [], []
    with bench:
        for name in options.rows or rows.ROWS:
            print(f"{name} ...", file=sys.stderr, flush=True)
            try:
                lines += rows.ROWS[name](bench)
            except Exception as e:  # one broken row must not cost the others
                broken.append(name)
                print(f"  broken: {e}", file=sys.stderr)
    machine = {"cpu_count": os.cpu_count(), "kernel": platform.release(),
               "load": os.getloadavg()[0], "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    report = [dataclasses.asdict(line) | {"ratio": line.ratio, "met": line.met} for line in lines]
    (bench.results / "results.json").write_text(
        json.dumps({"machine": machine, "lines": report, "broken": broken}, indent=1))
    print(table(lines))
    print(f"\nload average {machine['load']:.1f}; broken rows: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
