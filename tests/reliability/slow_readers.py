#!/usr/bin/env python3
"""Callers that hardly read while the upstream floods, and callers that only connect: memory stays bounded
and the others are served."""

import resource
import time

from judge import judge_leaks
from world import World, main

FLOOD = "mock-flood-forever"
HONEST = "mock-ok:tokens=16"
BYTES_EACH = 96 * 1024
IDLE_BYTES_EACH = 4 * 1024
HONEST_LOAD = ["--rate", 100, "--connections", 32, "--duration", 3]


def honest(world, name):
    """Runs honest traffic and returns its report."""
    world.load(name, HONEST, *HONEST_LOAD).child.wait(60)
    return world.report(name)


def p99_ms(report):
    return report["latency"]["p99_us"] / 1e3


def judge_honest(verdict, alone, beside, what):
    served = beside["completed"] + beside["failed"]
    verdict.expect(beside["failed"] == 0 and served > 150, f"honest requests beside {what} are all served",
                   f"{beside['completed']} of {served}")
    verdict.note("their p99, ms (alone, beside)", f"{p99_ms(alone):.1f}, {p99_ms(beside):.1f}")


def judge_memory(options, verdict, grown, callers, bound, what):
    each = grown / callers
    verdict.expect(options.sanitized or each <= bound, f"memory of one {what} is at most {bound // 1024} KiB",
                   f"{each / 1024:.1f} KiB each, {grown / 1e6:.1f} MB for {callers}")


def slow_callers(options, verdict, world, alone):
    before = world.resident_bytes()
    half = options.callers // 2
    loads = [world.load(f"slow-{rate}", FLOOD, "--stream", "--connections", half, "--read-rate", rate,
                        "--duration", 60, "--grace", 0) for rate in (0, 100)]
    deadline = time.monotonic() + 40
    while world.mock_stats()["running"] < 2 * half and time.monotonic() < deadline:
        time.sleep(0.1)
    running = world.mock_stats()["running"]
    verdict.expect(running == 2 * half, "slow callers are being served", running)
    time.sleep(1)
    beside = honest(world, "beside-slow")
    judge_memory(options, verdict, world.resident_bytes() - before, 2 * half, BYTES_EACH, "slow reader")
    judge_honest(verdict, alone, beside, "slow readers")
    for load in loads:
        load.stop()
    while world.mock_stats()["running"] and time.monotonic() < deadline + 20:
        time.sleep(0.05)
    verdict.expect(world.mock_stats()["running"] == 0, "their upstreams are let go when they hang up")


def greedy_callers(verdict, world, alone):
    """Streams that flow as fast as both ends can must leave the loop to the others."""
    load = world.load("greedy", FLOOD, "--stream", "--connections", 8, "--duration", 60, "--grace", 0)
    time.sleep(0.5)
    judge_honest(verdict, alone, honest(world, "beside-greedy"), "floods that are read")
    load.stop()


def idle_callers(options, verdict, world, alone):
    before = world.resident_bytes()
    load = world.load("idle", HONEST, "--idle", options.idle, "--rate", 100, "--connections", 32,
                      "--duration", 8)
    deadline = time.monotonic() + 30
    while world.descriptors() < options.idle and time.monotonic() < deadline and load.child.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    verdict.expect(world.descriptors() >= options.idle, "idle connections are held", world.descriptors())
    judge_memory(options, verdict, world.resident_bytes() - before, options.idle, IDLE_BYTES_EACH,
                 "idle connection")
    load.child.wait(60)
    report = world.report("idle")
    verdict.expect(report["idle_lost"] == 0, "none of them was closed", report["idle_lost"])
    judge_honest(verdict, alone, report, "idle connections")


def start_as_shells_do(world):
    """With the soft limit of open files that most systems give."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    world.start()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def slow_readers(options, verdict):
    """Slow and idle callers cost little and harm nobody."""
    patient = {"stream_timeouts": {"first_token_timeout_seconds": 30, "inter_chunk_idle_timeout_seconds": 30}}
    world = World(options.build, [FLOOD, HONEST], settings=patient)
    try:
        start_as_shells_do(world)
        alone = honest(world, "alone")
        idle_callers(options, verdict, world, alone)
        greedy_callers(verdict, world, alone)
        slow_callers(options, verdict, world, alone)
        world.end(verdict)
        judge_leaks(verdict, world)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--callers", type=int, default=1000)
    parser.add_argument("--idle", type=int, default=10000)


if __name__ == "__main__":
    raise SystemExit(main(slow_readers, describe))
