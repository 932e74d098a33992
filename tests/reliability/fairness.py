#!/usr/bin/env python3
"""Floods beside honest traffic: one caller sends twenty times as much, is refused, asks for models that are not there or comes
with wrong keys; another's requests are as fast as without, p99 at most 1.2 times."""

import os
import statistics
import time

from world import World, main

HONEST = "mock-ok:tokens=5,delay_ms=20"
RATE = 50  # honest requests a second
FLOOD = 1000  # and of the flood; it is not the processors' limit that is judged
BOUND = 1.2


def flood(world, name, kind, seconds):
    """What must not cost others anything."""
    key = world.key
    if kind == "limited":
        world.secrets["key"] = world.secrets["flood"]
    elif kind == "wrong keys":
        world.secrets["key"] = "dp-" + "x" * 43
    model = "no-such-model" if kind == "unknown model" else HONEST
    load = world.load(name, model, "--rate", FLOOD, "--connections", 64, "--duration", seconds)
    world.secrets["key"] = key
    # One machine does it all: what making the flood takes of the processors is not judged either.
    os.setpriority(os.PRIO_PROCESS, load.child.pid, 10)
    return load


def honest_p99(world, name, seconds):
    load = world.load(name, HONEST, "--rate", RATE, "--connections", 32, "--duration", seconds)
    load.child.wait(seconds + 60)
    report = world.report(name)
    return report["latency"]["p99_us"] / 1e3, report["failed"]


def judge_kind(options, verdict, world, kind):
    """Alone and beside the flood in turn; medians, so that a busy machine's noise falls on both."""
    alone, beside, failed, refused = [], [], 0, 0
    for turn in range(options.turns):
        p99, bad = honest_p99(world, f"{kind}-alone-{turn}", options.seconds)
        alone.append(p99)
        failed += bad
        load = flood(world, f"{kind}-flood-{turn}", kind, options.seconds + 1)
        time.sleep(0.5)
        p99, bad = honest_p99(world, f"{kind}-beside-{turn}", options.seconds)
        beside.append(p99)
        failed += bad
        load.child.wait(60)
        refused += world.report(f"{kind}-flood-{turn}")["failed"]
    ratio = statistics.median(beside) / statistics.median(alone)
    verdict.expect(failed == 0, f"{kind}: no honest request fails")
    verdict.expect(ratio <= BOUND, f"{kind}: p99 of honest requests beside {refused} refused ones",
                   f"{statistics.median(beside):.1f} ms, alone {statistics.median(alone):.1f} ms, {ratio:.2f} x")


def fairness(options, verdict):
    """Honest traffic beside floods."""
    world = World(options.build, [HONEST])
    try:
        world.start()
        world.secrets["flood"] = world.admin("apikeys", {"name": "flood", "rate_limit_rpm": 60})["full_key"]
        for kind in ("limited", "unknown model", "wrong keys"):
            judge_kind(options, verdict, world, kind)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement")
    parser.add_argument("--turns", type=int, default=3)


if __name__ == "__main__":
    raise SystemExit(main(fairness, describe))
