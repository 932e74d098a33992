#!/usr/bin/env python3
"""Every request carries a nonce that its answer must contain, over upstreams of every dialect, while callers hang
up at random: nobody ever gets a word of somebody else's answer."""

from judge import judge_leaks
from upstream_faults import DIALECTS
from world import World, main, name_of

STREAM = "mock-nonce:tokens=8,chunk_ms=1"
WHOLE = "mock-nonce:tokens=8,delay_ms=3"


def nonces(options, verdict):
    """No answer reaches the wrong caller."""
    world = World(options.build, [])
    try:
        world.start()
        share = options.requests // (2 * len(DIALECTS))
        flags = ["--nonce", "--requests", share, "--connections", 24, "--abort", 0.2, "--duration", 600]
        loads = {}
        for dialect in DIALECTS:
            world.serve(dialect, [STREAM, WHOLE])
            for how, script, more in (("streams", STREAM, ["--stream", "--abort-span", 3000]),
                                      ("whole", WHOLE, ["--abort-span", 0])):
                loads[f"{dialect}-{how}"] = (name_of(dialect, script), more)
        running = {name: world.load(name, model, *more, *flags) for name, (model, more) in loads.items()}
        for name, load in running.items():
            load.child.wait(600)
            report = world.report(name)
            verdict.note(f"{name}: completed, hung up", f"{report['completed']}, {report['aborted']}")
            verdict.expect(report["foreign_nonces"] == 0 and report["missing_nonces"] == 0,
                           f"{name}: no foreign nonce and none missing",
                           f"{report['foreign_nonces']}, {report['missing_nonces']}")
            failed = [line for line in world.journal(name)
                      if line["end"] not in ("completed", "aborted") or line["status"] not in (0, 200)]
            verdict.expect(not failed and report["aborted"] > share / 40,
                           f"{name}: nothing failed, and some did hang up", failed[:3] or "0 failed")
        verdict.expect(world.stop() == 0, "the program ends well")
        judge_leaks(verdict, world)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--requests", type=int, default=20000)


if __name__ == "__main__":
    raise SystemExit(main(nonces, describe))
