#!/usr/bin/env python3
"""kill -9 again and again under mixed load: no usage is lost, doubled or invented."""

import json
import random
import time

from judge import judge_books, judge_leaks, judge_requests, judge_rows, judge_sums, mock_truth, usage_rows
from world import World, main, quantile

STREAM = "mock-ok:tokens=20,chunk_ms=8"
WHOLE = "mock-ok:delay_ms=5,tokens=7"
LONG = "mock-ok:tokens=60,chunk_ms=10"
COUNTED_HERE = "mock-no-usage:tokens=30,chunk_ms=5"
LOAD_SECONDS = 1.2
# Odd prices, so that a rounding done twice shows.
PRICE = [{"max_input_tokens": 4, "input_price": "1.7", "output_price": "13.9"},
         {"max_input_tokens": 0, "input_price": "3.3", "output_price": "17.1", "cached_price": "0.7"}]
POINTS = {"after_hold": 80, "after_final": 80, "before_commit": 8, "after_commit": 8}


def start_load(world):
    common = ["--duration", LOAD_SECONDS, "--grace", 3, "--retries", 8]
    embeddings = world.folder / "embeddings-body.json"
    embeddings.write_text(json.dumps({"model": "mock-ok", "input": ["one two three", "four"]}))
    return [
        world.load("stream", STREAM, "--stream", "--rate", 50, "--connections", 32, *common),
        world.load("whole", WHOLE, "--rate", 80, "--connections", 16, *common),
        world.load("embeddings", "mock-ok", "--rate", 40, "--connections", 8, "--body", embeddings,
                   *common, path="/v1/embeddings"),
        world.load("aborted", LONG, "--stream", "--rate", 20, "--connections", 32, "--abort", 0.6,
                   "--abort-span", 12000, *common),
        world.load("estimated", COUNTED_HERE, "--stream", "--rate", 20, "--connections", 32, *common),
        world.load("refused", "no-such-model", "--rate", 10, "--connections", 4, *common),
    ]


def one_round(world, number, dice, ready):
    point = dice.choice(["random", *POINTS])
    spec = None if point == "random" else f"{point}:{dice.randint(1, POINTS[point])}"
    started = world.start({"DEEPPOOL_CRASH_AT": spec} if spec else None)
    loads = start_load(world)
    if started is not None:
        deadline = time.monotonic() + dice.uniform(0.05, LOAD_SECONDS - 0.3)
        while time.monotonic() < deadline and world.program.child.poll() is None:
            time.sleep(0.002)
    died_by_itself = world.program.child.poll() is not None
    world.kill()
    again = world.start()
    ready.append(again)
    for load in loads:
        load.child.wait(30)
    if number % 3 == 0:
        world.stop()
    else:
        world.kill()
    return died_by_itself


def crash_loop(options, verdict):
    """kill -9 again and again under mixed load: no usage is lost, doubled or invented."""
    seed = options.seed or random.SystemRandom().randrange(1 << 31)
    dice = random.Random(seed)
    world = World(options.build, [STREAM, WHOLE, LONG, COUNTED_HERE, "mock-ok"], options.database,
                  prices={STREAM: PRICE, WHOLE: PRICE, LONG: PRICE, COUNTED_HERE: PRICE})
    try:
        top_up(world)
        verdict.note("database, rounds, seed", f"{options.database}, {options.rounds}, {seed}")
        ready = []
        named = sum(one_round(world, n, dice, ready) for n in range(options.rounds))
        verdict.note("crashes at a named point", named)
        world.start()
        world.end(verdict)
        judge(world, verdict)
        verdict.note("ready after a crash, s (median, worst)", f"{quantile(ready, 0.5):.3f}, {max(ready):.3f}")
        rows = len(usage_rows(world))
        world.start()
        world.stop()
        verdict.expect(len(usage_rows(world)) == rows, "one more start adds nothing")
    finally:
        world.close()


def top_up(world):
    world.start()
    world.admin("admin/users/1/wallet/adjustments",
                {"amount_yuan": "1000000", "reason": "the load's", "reference": "top-up"})
    world.stop()


def judge(world, verdict):
    truth, rows = mock_truth(world), usage_rows(world)
    outcomes = {}
    for row in rows.values():
        outcomes[row[0]] = outcomes.get(row[0], 0) + 1
    verdict.note("rows", outcomes)
    journal = [line for name in ("stream", "whole", "embeddings", "aborted", "estimated")
               for line in world.journal(name)]
    seen = judge_requests(verdict, journal, rows, truth)
    verdict.expect(seen > 0 and outcomes.get("crash_settled", 0) > 0, "there was load, and crashes cut some of it")
    refused = [line["request_id"] for line in world.journal("refused") if line["status"]]
    judge_rows(verdict, rows, truth, refused)
    judge_sums(verdict, world.store)
    whole = [line for name in ("stream", "whole", "embeddings") for line in world.journal(name)
             if line["end"] == "completed" and line["status"] == 200 and not line["error_event"]]
    judge_books(verdict, world, whole, truth)
    judge_leaks(verdict, world)


def describe(parser):
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--database", choices=["sqlite", "mariadb"], default="sqlite")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")


if __name__ == "__main__":
    raise SystemExit(main(crash_loop, describe))
