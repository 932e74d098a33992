#!/usr/bin/env python3
"""The database server goes away under load: callers do not notice, the spool keeps what was used, and all of
it is stored when the server is back."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from judge import judge_leaks, judge_requests, judge_rows, judge_sums, mock_truth, usage_rows
from stores import CannotRunHere
from world import World, main

MODEL = "mock-ok:tokens=5,delay_ms=2"
AROUND = 3  # seconds of load before and after
SERVERS = Path(__file__).resolve().parents[2] / "tools/test_servers.sh"


class PrivateServer:
    """A MariaDB of this test alone, to be stopped and started again on the same data."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="deeppool-db-"))
        env = {k: v for k, v in os.environ.items() if k != "DEEPPOOL_MYSQLD"}
        said = subprocess.run([str(SERVERS), "start", str(self.folder)], env=env, capture_output=True,
                              text=True, timeout=60, check=True).stdout
        named = re.search(r"DEEPPOOL_TEST_MARIADB=(\S+)", said)
        if not named:
            self._clear()
            raise CannotRunHere("no mariadbd here")
        self.name = named.group(1)
        self.pid = int((self.folder / "mariadb/server.pid").read_text())
        self.command = Path(f"/proc/{self.pid}/cmdline").read_bytes().decode().split("\0")[:-1]
        self.child = None

    def down(self):
        if self.child:
            self.child.terminate()
            self.child.wait(30)
            return
        os.kill(self.pid, signal.SIGTERM)
        while Path(f"/proc/{self.pid}/cmdline").exists() and Path(f"/proc/{self.pid}/cmdline").read_bytes():
            time.sleep(0.05)

    def up(self):
        with (self.folder / "again.log").open("ab") as log:
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def close(self):
        self.down()
        (self.folder / "mariadb/server.pid").unlink(missing_ok=True)  # may be another process's by now
        self._clear()

    def _clear(self):
        """The script started what else it has, too."""
        subprocess.run([str(SERVERS), "stop", str(self.folder)], timeout=60, check=True, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def judge_admin(verdict, world):
    """What administrators and users are told meanwhile: soon, and cleanly."""
    session = {"Authorization": f"Bearer {world.secrets['session']}"}
    login = {"username": "admin", "password": world.secrets["password"]}
    wrong, slowest = [], 0
    for method, path, body, headers in (("GET", "admin/users", None, session), ("GET", "admin/models", None, session),
                                        ("POST", "apikeys", {"name": "x"}, session), ("GET", "wallet", None, session),
                                        ("POST", "users/login", login, {"Authorization": None})):
        began = time.monotonic()
        status, _, answer = world.call(method, f"/api/v1/{path}", body, headers, timeout=30)
        slowest = max(slowest, time.monotonic() - began)
        told = json.loads(answer)
        if status != 503 or told["code"] != 503 or told["data"]["error"] != "unavailable":
            wrong.append((path, status, answer[:200]))
    verdict.expect(not wrong, "administration answers a clean 503", wrong or f"at most {slowest:.1f} s")


def await_rows(world, wanted, seconds):
    """Seconds until all rows are stored."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            if int(world.store.rows("SELECT COUNT(*) FROM usage_records")[0][0]) >= wanted:
                return time.monotonic() - began
        except RuntimeError:
            pass  # the server is still coming up
        time.sleep(0.2)
    return None


def database_down(options, verdict):
    """A database server that goes away under load."""
    os.environ["DEEPPOOL_TEST_MARIADB"] = (server := PrivateServer()).name
    world = World(options.build, [MODEL], "mariadb")
    try:
        world.start()
        load = world.load("load", MODEL, "--rate", options.rate, "--connections", 64,
                          "--duration", options.seconds + 2 * AROUND)
        time.sleep(AROUND)
        server.down()
        back = time.monotonic() + options.seconds
        judge_admin(verdict, world)
        time.sleep(max(0, back - time.monotonic()))
        server.up()
        load.child.wait(options.seconds + 60)
        report, lines = world.report("load"), world.journal("load")
        share = report["completed"] / max(1, report["completed"] + report["failed"])
        verdict.expect(share >= 0.999 and len(lines) > options.rate * options.seconds, f"served while the database was down {options.seconds} s",
                       f"{share:.2%} of {len(lines)}, p99 {report['latency']['p99_us'] / 1e3:.1f} ms")
        took = await_rows(world, report["completed"], 30)
        verdict.expect(took is not None, "the spool drains within 30 s",
                       f"{took:.1f} s after the load" if took is not None else "no")
        world.end(verdict)
        truth, rows = mock_truth(world), usage_rows(world)
        judge_requests(verdict, lines, rows, truth)
        judge_rows(verdict, rows, truth)
        judge_sums(verdict, world.store)
        judge_leaks(verdict, world)
    finally:
        try:
            world.close()
        finally:
            server.close()


def describe(parser):
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=5, help="how long the server is gone")


if __name__ == "__main__":
    raise SystemExit(main(database_down, describe))
