#!/usr/bin/env python3
"""SIGTERM under load: streams end in peace within the grace, are told the truth after it, and a new process
takes the port over."""

import json
import re
import shutil
import signal
import socket
import time
from pathlib import Path

from judge import judge_requests, judge_sums, mock_truth, usage_rows
from world import World, main

STREAM = "mock-ok:tokens=60,chunk_ms=50"  # three seconds
QUICK = "mock-ok:tokens=2"
STREAMS = 50
LATE = ["--connections", STREAMS, "--requests", STREAMS, "--duration", 20, "--grace", 0]


def await_running(world, count):
    deadline = time.monotonic() + 10
    while world.mock_stats()["running"] < count and time.monotonic() < deadline:
        time.sleep(0.02)


def terminate(world):
    """SIGTERM without waiting; returns when it was sent."""
    world.program.child.send_signal(signal.SIGTERM)
    return time.monotonic()


def takers(pid):
    """The names of the threads, the main one aside, that would take a SIGTERM."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        masked = re.search(r"SigBlk:\s*(\w+)", (task / "status").read_text())[1]
        if task.name != str(pid) and not int(masked, 16) >> (signal.SIGTERM - 1) & 1:
            found.append((task / "comm").read_text().strip())
    return found


def as_it_starts(world, verdict):
    """SIGTERM to a program that has only just begun to listen: no other thread takes it before the main one waits."""
    world.start()
    verdict.expect(not takers(world.pid), "SIGTERM is left to the main thread", takers(world.pid))
    world.stop()
    statuses = []
    for _ in range(10):
        world.start()
        statuses.append(world.stop())
    verdict.expect(set(statuses) == {0}, "ended as soon as it answers, exit statuses", statuses)


def outcomes(journal):
    table = {}
    for line in journal:
        end = "error event" if line["error_event"] else line["end"]
        table[end] = table.get(end, 0) + 1
    return table


def within_grace(world, verdict):
    """All streams end well; meanwhile the port belongs to the next process."""
    load = world.load("patient", STREAM, "--stream", *LATE)
    await_running(world, STREAMS)
    old = world.program
    at = terminate(world)
    statuses, refused, reset = [], 0, 0
    while old.child.poll() is None:
        try:
            statuses.append(world.chat(QUICK, timeout=5)[0])
        except ConnectionRefusedError:
            refused += 1
        except ConnectionResetError:
            reset += 1
        except OSError as broken:
            verdict.expect(False, "a new caller is refused or served, never cut", broken)
        time.sleep(0.05)
    verdict.note("the old process ended after, s", f"{time.monotonic() - at:.1f}")
    verdict.expect(old.child.returncode == 0, "its exit status is 0", old.child.returncode)
    # The kernel resets who completes a handshake between the last accept and the close of a listener.
    verdict.expect(reset <= 1, "hardly a new caller is reset", reset)
    verdict.expect(all(s in (200, 503) for s in statuses) and refused > 0,
                   "callers that come during the drain", f"{refused} refused, answered {set(statuses)}")
    load.child.wait(30)
    verdict.expect(outcomes(world.journal("patient")) == {"completed": STREAMS}, "none of the streams was cut",
                   outcomes(world.journal("patient")))


def takeover(world, verdict):
    """A new process on the same port, with a data directory of its own, while the old one drains."""
    load = world.load("handed", STREAM, "--stream", *LATE)
    await_running(world, STREAMS)
    old, gap = world.program, []
    second = world.folder / "second"
    shutil.copytree(world.data_dir, second, ignore=shutil.ignore_patterns("spool", "*.lock", "lock"))
    world.config_file.write_text(json.dumps({**world.config, "data_dir": str(second)}))
    at = terminate(world)
    while True:  # the port is free as soon as the old process has stopped listening
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", world.port)):
                break
        time.sleep(0.002)
    started = world.start()
    gap.append(time.monotonic() - at)
    verdict.expect(started is not None and old.child.poll() is None, "the new process serves while the old drains",
                   f"{gap[0]:.2f} s after SIGTERM")
    verdict.expect(world.chat(QUICK)[0] == 200, "new callers are served by it")
    load.child.wait(30)
    old.child.wait(30)
    verdict.expect(outcomes(world.journal("handed")) == {"completed": STREAMS}, "none of the old streams was cut",
                   outcomes(world.journal("handed")))
    world.stop()
    world.config_file.write_text(json.dumps(world.config))


def after_grace(world, verdict):
    """Streams longer than the grace end with an error event, and not before."""
    config = {**world.config, "server": {**world.config["server"], "drain_grace_seconds": 1}}
    world.config_file.write_text(json.dumps(config))
    world.start()
    load = world.load("cut", STREAM, "--stream", *LATE)
    await_running(world, STREAMS)
    at = terminate(world)
    world.program.child.wait(20)
    took = time.monotonic() - at
    verdict.expect(world.program.child.returncode == 0 and 0.95 < took < 6, "the process ends after its grace of 1 s",
                   f"{took:.2f} s")
    load.stop()
    lines = world.journal("cut")
    verdict.expect(outcomes(lines) == {"error event": STREAMS}, "each stream ends with an error event",
                   outcomes(lines))
    early = [line for line in lines if line["events"] < 18]  # a second of events
    verdict.expect(not early, "none of them was cut before the grace ended", len(early))


def drain(options, verdict):
    """SIGTERM under load."""
    world = World(options.build, [STREAM, QUICK])
    try:
        as_it_starts(world, verdict)
        world.start()
        within_grace(world, verdict)
        world.start()
        takeover(world, verdict)
        after_grace(world, verdict)
        judge_requests(verdict, world.journal("patient") + world.journal("handed"), usage_rows(world),
                       mock_truth(world))
        judge_sums(verdict, world.store)
    finally:
        world.close()


if __name__ == "__main__":
    raise SystemExit(main(drain, lambda parser: None))
