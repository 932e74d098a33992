"""A program that dev.sh runs: its output in a file, its end by pid, and never left behind."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

START_SECONDS = 60  # an unoptimised build on a busy machine, first start with its schema
STOP_SECONDS = 40   # the platform lets running streams finish for 30 s
PORTS_TO_TRY = 50
LOG_BYTES = 64 << 20  # then the next start begins a new one
LINE_SHOWN = 300      # of a log line, on the terminal
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """The message is for the person at the terminal."""


def free_port(first):
    """`first`, or the next port on which nobody listens."""
    for port in range(first, min(first + PORTS_TO_TRY, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed(f"no port from {first} on is free; name another with --port")


def _end_with_parent():
    # Should dev.sh be killed outright, its programs end too.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Program:
    def __init__(self, command, log, settings=None):
        self.name = Path(command[0]).name
        self.log = Path(log)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        # Appending: another run, which this one may be about to be refused over, can be writing there.
        with self.log.open("ab") as out:
            self._begin = out.tell()
            # A session of its own: Ctrl-C reaches dev.sh alone, which then stops things in order.
            self._child = subprocess.Popen([str(part) for part in command], stdout=out, stderr=out,
                                           stdin=subprocess.DEVNULL, start_new_session=True,
                                           env={**os.environ, **(settings or {})},
                                           preexec_fn=_end_with_parent)

    def output(self):
        with self.log.open("rb") as log:
            log.seek(self._begin)
            return log.read().decode(errors="replace")

    def last_lines(self):
        return "\n".join("  " + line[:LINE_SHOWN] for line in self.output().splitlines()[-8:])

    def how_it_ended(self):
        status = self._child.returncode
        return f"was ended by signal {-status}" if status < 0 else f"has ended with status {status}"

    def ended(self):
        return self._child.poll() is not None

    def wait_until(self, ready):
        """Asks `ready` until it gives something."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not self.ended():
            found = ready()
            if found:
                return found
            time.sleep(0.05)
        what = "could not start" if self.ended() else f"was not ready after {START_SECONDS} s"
        raise Failed(f"{self.name} {what}; its last lines (all of them in {self.log}):\n{self.last_lines()}")

    def stop(self):
        if not self.ended():
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
