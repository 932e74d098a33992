#!/usr/bin/env python3
"""Every request carries a nonce that its answer must contain. Callers of every protocol ask upstreams of every dialect
and a hybrid over all of them, at once, and hang up at random: nobody ever gets a word of somebody else's answer."""

import json

from callers import CALLERS
from judge import judge_leaks
from upstream_faults import DIALECTS
from world import World, main, name_of, public

STREAM = "mock-nonce:tokens=8,chunk_ms=1"
WHOLE = "mock-nonce:tokens=8,delay_ms=3"
CONNECTIONS = 144  # of all loads together
ABORT = 0.2
HYBRID = "hybrid"


def set_up(world, over):
    world.start()
    for dialect in DIALECTS:
        world.serve(dialect, [STREAM, WHOLE])
    for script in (STREAM, WHOLE) if HYBRID in over else ():
        world.admin("admin/models", {"model_name": name_of(HYBRID, script), "vendor_type": "hybrid",
                                     "child_models": [name_of(dialect, script) for dialect in DIALECTS],
                                     "routing_policy": "load_balance: round-robin\n"})


def start_loads(world, options, callers, over):
    """name -> (its process, how many requests it makes)"""
    kinds = [(caller, target, stream) for caller in callers for target in over for stream in (True, False)]
    share = options.requests // len(kinds)
    loads = {}
    for caller, target, stream in kinds:
        name = f"{caller}-{target}-{'streams' if stream else 'whole'}"
        model = name_of(target, STREAM if stream else WHOLE)
        body = world.folder / f"{name}.body"
        body.write_text(json.dumps(CALLERS[caller].body(public(model), stream, prompt="Say it again: NONCE")))
        # Of the longest; an answer that is over before is not cut.
        span = 0 if not stream else 6000 if caller == "responses" else 3000
        loads[name] = world.load(name, model, "--nonce", "--requests", share, "--connections",
                                 max(1, CONNECTIONS // len(kinds)), "--abort", ABORT, "--abort-span", span,
                                 "--duration", 600, "--body", body, path=CALLERS[caller].path)
    return loads, share


def nonces(options, verdict):
    """No answer reaches the wrong caller."""
    world = World(options.build, [])
    callers, over = options.callers.split(","), options.over.split(",")
    try:
        set_up(world, over)
        loads, share = start_loads(world, options, callers, over)
        total = {"completed": 0, "aborted": 0, "foreign_nonces": 0, "missing_nonces": 0}
        for name, load in loads.items():
            load.child.wait(900)
            report = world.report(name)
            total = {what: count + report[what] for what, count in total.items()}
            verdict.expect(report["foreign_nonces"] == 0 and report["missing_nonces"] == 0,
                           f"{name}: no foreign nonce and none missing, completed and hung up",
                           f"{report['completed']}, {report['aborted']}")
            failed = [line for line in world.journal(name) if line["error_event"] or line["status"] not in (0, 200)
                      or line["end"] not in ("completed", "aborted")]
            verdict.expect(not failed and report["aborted"] > share * ABORT / 8,
                           f"{name}: nothing failed, and some did hang up", failed[:3] or "0 failed")
        verdict.note("all together", total)
        world.end(verdict)
        judge_leaks(verdict, world)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--requests", type=int, default=20000)
    parser.add_argument("--callers", default=",".join(CALLERS))
    parser.add_argument("--over", default=",".join((*DIALECTS, HYBRID)))


if __name__ == "__main__":
    raise SystemExit(main(nonces, describe))
