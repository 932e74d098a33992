#!/usr/bin/env python3
"""Every request carries a nonce that its answer must contain, while callers hang up at random: nobody ever
gets a word of somebody else's answer."""

from judge import judge_leaks
from world import World, main

STREAM = "mock-nonce:tokens=8,chunk_ms=1"
WHOLE = "mock-nonce:tokens=8,delay_ms=3"


def nonces(options, verdict):
    """No answer reaches the wrong caller."""
    world = World(options.build, [STREAM, WHOLE])
    try:
        world.start()
        half = options.requests // 2
        flags = ["--nonce", "--requests", half, "--connections", 64, "--abort", 0.2, "--duration", 600]
        loads = {"streams": world.load("streams", STREAM, "--stream", "--abort-span", 3000, *flags),
                 "whole": world.load("whole", WHOLE, "--abort-span", 0, *flags)}
        for name, load in loads.items():
            load.child.wait(600)
            report = world.report(name)
            verdict.note(f"{name}: completed, hung up", f"{report['completed']}, {report['aborted']}")
            verdict.expect(report["foreign_nonces"] == 0 and report["missing_nonces"] == 0,
                           f"{name}: no foreign nonce and none missing",
                           f"{report['foreign_nonces']}, {report['missing_nonces']}")
            failed = [line for line in world.journal(name)
                      if line["end"] not in ("completed", "aborted") or line["status"] not in (0, 200)]
            verdict.expect(not failed and report["aborted"] > half / 40,
                           f"{name}: nothing failed, and some did hang up", failed[:3] or "0 failed")
        verdict.expect(world.stop() == 0, "the program ends well")
        judge_leaks(verdict, world)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--requests", type=int, default=20000)


if __name__ == "__main__":
    raise SystemExit(main(nonces, describe))
