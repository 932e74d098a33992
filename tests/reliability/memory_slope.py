#!/usr/bin/env python3
"""Minutes of mixed load, caches full: memory must not grow any more. The slope is a line through what the program had for
itself every second of the second half."""

import time

from world import World, main, quantile

WHOLE = "mock-ok:tokens=7,delay_ms=5"
STREAM = "mock-ok:tokens=20,chunk_ms=8"
LONG = "mock-ok:tokens=60,chunk_ms=10"
PRICE = [{"max_input_tokens": 0, "input_price": "1", "output_price": "2"}]
MIB = 1 << 20
SLOPE = 0.2 * MIB  # a minute: below what pages of the allocator make of noise, 12 MiB an hour
AT_REST = 30 * MIB


def private_bytes(world):
    """Without mapped files: the tokenizers' tables come in as they are used, and the kernel may take them back."""
    with open(f"/proc/{world.pid}/status", encoding="ascii") as lines:
        return int(next(line.split()[1] for line in lines if line.startswith("RssAnon:"))) * 1024


def slope(points):
    """Bytes a minute, by least squares."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    return 60 * sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def memory_slope(options, verdict):
    """Memory under minutes of load."""
    world = World(options.build, [WHOLE, STREAM, LONG], start=False, prices={WHOLE: PRICE, STREAM: PRICE})
    try:
        world.prepare()
        world.start()
        rest = world.resident_bytes()
        if not options.sanitized:
            verdict.expect(rest <= AT_REST, "memory at rest", f"{rest / MIB:.1f} MiB")
        status, _, _ = world.call("POST", "/api/v1/admin/users/1/wallet/adjustments",
                                  {"amount_yuan": "100000", "reason": "load", "reference": "load"},
                                  {"Authorization": f"Bearer {world.secrets['session']}"})
        verdict.expect(status == 200, "the caller has money")
        seconds = 60 * options.minutes
        common = ["--duration", seconds, "--grace", 3]
        loads = [world.load("whole", WHOLE, "--rate", 150, "--connections", 32, *common),
                 world.load("streams", STREAM, "--stream", "--rate", 40, "--connections", 64, *common),
                 world.load("aborted", LONG, "--stream", "--rate", 10, "--connections", 64, "--abort", 0.6,
                            "--abort-span", 12000, *common)]
        began, points = time.monotonic(), []
        while time.monotonic() - began < seconds - 1:
            points.append((time.monotonic() - began, private_bytes(world)))
            time.sleep(1)
        for load in loads:
            load.child.wait(60)
        late = points[len(points) // 2:]
        grown = slope(late)
        verdict.note("its own memory", f"{points[0][1] / MIB:.1f} MiB at first, {quantile([y for _, y in late], 0.5) / MIB:.1f} "
                     f"in the second half, {points[-1][1] / MIB:.1f} at the end")
        verdict.expect(grown <= SLOPE, f"slope over the second half of {options.minutes:g} minutes",
                       f"{grown / 1024:.1f} KiB a minute")
        lines = world.journal("whole") + world.journal("streams")
        failed = [(line["status"], line["end"]) for line in lines if line["status"] != 200 or line["end"] != "completed"]
        verdict.expect(not failed, "no request fails", failed[:3] or f"{len(lines)} completed")
        world.end(verdict)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--minutes", type=float, default=3)


if __name__ == "__main__":
    raise SystemExit(main(memory_slope, describe))
