#!/usr/bin/env python3
"""The data directory's disk fills up: what is in flight ends and is charged, new work is refused, and all
goes on by itself when there is space again."""

import subprocess
import time

from judge import judge_leaks, judge_requests, judge_rows, judge_sums, mock_truth, usage_rows
from stores import CannotRunHere
from world import World, main

STREAM = "mock-ok:tokens=60,chunk_ms=50"  # three seconds
QUICK = "mock-ok:tokens=3"
DISK = "48m"
STREAMS = 40


class SmallDisk:
    """A tmpfs at `path`; CannotRunHere where one cannot be had."""

    def __init__(self, path, options=f"size={DISK}"):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotRunHere(f"a tmpfs needs root ({done.stderr.strip()})")

    def fill(self):
        with (self.path / "filler").open("wb", buffering=0) as file:
            for piece in (1 << 20, 4096, 1):
                try:
                    while file.write(b"x" * piece) == piece:
                        pass
                except OSError:
                    pass

    def free(self):
        (self.path / "filler").unlink()

    def remove(self):
        subprocess.run(["umount", "-l", str(self.path)], check=False)


def await_status(world, wanted, seconds):
    """Seconds until a quick request got the wanted status, and that answer; None if it never did."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        answer = world.chat(QUICK)
        if answer[0] == wanted:
            return time.monotonic() - began, answer
        time.sleep(0.05)
    return None, answer


def disk_full(options, verdict):
    """A full disk under load."""
    world = World(options.build, [STREAM, QUICK], settings={"spool": {"allow_volatile": True}}, start=False)
    disk = None
    try:
        disk = SmallDisk(world.data_dir)
        world.prepare()
        world.start()
        in_flight = world.load("in-flight", STREAM, "--stream", "--connections", STREAMS, "--requests", STREAMS,
                               "--duration", 20)
        while world.mock_stats()["running"] < STREAMS:
            time.sleep(0.02)
        disk.fill()
        took, answer = await_status(world, 503, 5)
        verdict.expect(took is not None, "new billable work gets 503", answer[0])
        verdict.expect("retry-after" in answer[1] and b'"unavailable"' in answer[2],
                       "it says when to come again", answer[1].get("retry-after"))
        verdict.expect(world.call("GET", "/v1/models")[0] == 200, "what costs nothing is still served")
        in_flight.child.wait(30)
        lines = world.journal("in-flight")
        ends = {line["end"] for line in lines}
        verdict.expect(ends == {"completed"} and len(lines) == STREAMS, "what was in flight ends well", ends)
        disk.free()
        took, answer = await_status(world, 200, 10)
        verdict.expect(took is not None, "service goes on by itself when there is space",
                       f"after {took:.2f} s" if took else answer[0])
        world.end(verdict)
        truth, rows = mock_truth(world), usage_rows(world)
        seen = judge_requests(verdict, lines, rows, truth)
        verdict.expect(seen == STREAMS, "all of them are judged", seen)
        judge_rows(verdict, rows, truth)
        judge_sums(verdict, world.store)
        judge_leaks(verdict, world)
    finally:
        world.close()
        if disk:
            disk.remove()


if __name__ == "__main__":
    raise SystemExit(main(disk_full, lambda parser: None))
