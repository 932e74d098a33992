#!/usr/bin/env python3
"""Three programs share the limits of one key over Redis, which is killed, stopped and emptied under load: never
more than 1.05 times the limit in any trailing minute over all of them, no 5xx, never closed."""

import collections
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from stores import CannotRunHere
from world import Verdict, World, main, port_for_restarts, public

MODEL = "mock-ok:tokens=1"
LIMIT = 240
WINDOW = 60.0
OFFERED = 1.2  # requests a second at each of three programs; 4 in all are allowed


class PrivateRedis:
    """A redis-server of this test alone, on a port that stays its own."""

    def __init__(self):
        if not shutil.which("redis-server"):
            raise CannotRunHere("no redis-server here")
        self.folder = tempfile.mkdtemp(prefix="deeppool-redis-")
        self.port = port_for_restarts()
        self.child = None
        self.start()

    def start(self):
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "",
                   "--appendonly", "no", "--dir", self.folder, "--logfile", "log"]
        self.child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("redis-server does not answer")

    def strike(self, fault):
        if fault == "kill":
            self.child.kill()
            self.child.wait()
        elif fault == "stop":
            self.child.send_signal(signal.SIGSTOP)
        else:
            with socket.create_connection(("127.0.0.1", self.port), 2) as line:
                line.sendall(b"FLUSHALL\r\n")
                line.recv(16)

    def mend(self, fault):
        if fault == "kill":
            self.start()
        elif fault == "stop":
            self.child.send_signal(signal.SIGCONT)

    def close(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.terminate()
            self.child.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


class Fleet:
    """Programs with data directories of their own on one database, one mock and one Redis."""

    def __init__(self, options, redis, count):
        settings = {"redis": {"url": f"redis://127.0.0.1:{redis.port}/3"}}
        self.first = World(options.build, [MODEL], "mariadb", settings, start=False)
        self.first.config["admin"]["api_key_encryption_key"] = os.urandom(32).hex()
        self.first.config_file.write_text(json.dumps(self.first.config))
        self.first.prepare()
        self.children = []
        self._limit_key()
        self.first.start()
        for number in range(1, count):
            self._start_other(options, number)

    def _limit_key(self):
        self.first.store.run(f"UPDATE api_keys SET rate_limit_rpm = {LIMIT}")

    def _start_other(self, options, number):
        port = port_for_restarts()
        config = dict(self.first.config, server={"http_addr": f"127.0.0.1:{port}"},
                      data_dir=str(self.first.folder / f"data-{number}"))
        file = self.first.folder / f"other-{number}.yaml"
        file.write_text(json.dumps(config))
        with (self.first.folder / f"other-{number}.log").open("wb") as log:
            child = subprocess.Popen([str(options.build / "bin/deeppool"), "--config", str(file)],
                                     stdout=log, stderr=log)
        self.children.append((child, port))
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(log)

    @property
    def ports(self):
        return [self.first.port] + [port for _, port in self.children]

    def readiness(self):
        return json.loads(self.first.call("GET", "/readyz")[2])

    def close(self):
        for child, _ in self.children:
            child.terminate()
            child.wait(20)
        self.first.close()


class Callers:
    """Asks every program in turn; remembers when each answer 200 was asked for and had come."""

    def __init__(self, fleet, rate):
        self.fleet, self.rate = fleet, rate
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.admitted = []  # (asked, answered)
        self.statuses = collections.Counter()
        self.threads = [threading.Thread(target=self._run, args=(port,)) for port in fleet.ports]
        for thread in self.threads:
            thread.start()

    def _run(self, port):
        import http.client
        body = json.dumps({"model": public(MODEL), "messages": [{"role": "user", "content": "x"}]})
        headers = {"Authorization": f"Bearer {self.fleet.first.key}", "Content-Type": "application/json"}
        line = None
        while not self.ended.wait(1 / self.rate):
            asked = time.monotonic()
            try:
                line = line or http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                line.request("POST", "/v1/chat/completions", body, headers)
                answer = line.getresponse()
                answer.read()
                status = answer.status
            except OSError:
                line, status = None, 0
            with self.lock:
                self.statuses[status] += 1
                if status == 200:
                    self.admitted.append((asked, time.monotonic()))

    def burst(self, count):
        """All at once, to one program."""
        for _ in range(count):
            asked = time.monotonic()
            status = self.fleet.first.chat(MODEL)[0]
            with self.lock:
                self.statuses[status] += 1
                if status == 200:
                    self.admitted.append((asked, time.monotonic()))

    def since(self, when):
        with self.lock:
            return sum(1 for asked, _ in self.admitted if asked >= when)

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def highest(self):
        """The most that were certainly admitted within one window: asked after its start, answered before its end."""
        asked = sorted(a for a, _ in self.admitted)
        spans = sorted(self.admitted)
        most = 0
        for start in asked:
            most = max(most, sum(1 for a, b in spans if a >= start and b <= start + WINDOW))
        return most


def redis_down(options, verdict: Verdict):
    """Redis is killed, stopped and emptied."""
    redis = PrivateRedis()
    fleet = None
    try:
        fleet = Fleet(options, redis, 3)
        callers = Callers(fleet, OFFERED)
        time.sleep(options.seconds)
        verdict.expect("notes" not in fleet.readiness()["data"], "limits are shared at the start")
        for fault in options.faults.split(","):
            redis.strike(fault)
            time.sleep(2)
            ready = fleet.readiness()
            verdict.expect(ready["code"] == 0 and "notes" in ready["data"], f"{fault}: ready, with a note")
            began = time.monotonic()
            time.sleep(options.seconds)
            admitted = callers.since(began)
            verdict.expect(admitted > options.share * 3 * OFFERED * options.seconds, f"{fault}: not closed",
                           f"{admitted} admitted in {options.seconds} s")
            redis.mend(fault)
            time.sleep(options.seconds)
            if options.pause:
                callers.burst(3 * LIMIT // 4)
                time.sleep(options.pause)
        callers.stop()
        most = callers.highest()
        verdict.expect(most <= 1.05 * LIMIT, "the most in any minute over three programs", f"{most} of {LIMIT}")
        wrong = {status: n for status, n in callers.statuses.items() if status not in (200, 429)}
        verdict.expect(not wrong, "no other answer than 200 and 429", dict(callers.statuses))
        verdict.note("calls to Redis for allowance", fleet.first.metric("deeppool_ratelimit_leases_total"))
    finally:
        if fleet:
            fleet.close()
        redis.close()


def describe(parser):
    parser.add_argument("--seconds", type=float, default=8, help="how long each fault lasts, and each pause")
    parser.add_argument("--pause", type=float, default=0, help="between faults, after a burst at one program, for the windows to empty")
    parser.add_argument("--share", type=float, default=0.1, help="of what is offered: at least this is admitted")
    parser.add_argument("--faults", default="stop,flush,kill")


if __name__ == "__main__":
    raise SystemExit(main(redis_down, describe))
