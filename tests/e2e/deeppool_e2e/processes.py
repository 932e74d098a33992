"""A program under test: started with its output in a file, stopped by pid, its output shown if it fails."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

START_SECONDS = 20
STOP_SECONDS = 10


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    def __init__(self, name, command, folder, env=None):
        self.name = name
        self.log = Path(folder) / f"{name}.log"
        with self.log.open("ab") as out:
            self.child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT,
                                          stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))

    def output(self):
        return self.log.read_text(errors="replace")

    def wait_until(self, ready):
        """Calls `ready` until it gives something; raises with the program's output if it never does."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.child.poll() is None:
            found = ready()
            if found:
                return found
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"{self.name} did not start:\n{self.output()[-4000:]}")

    def stop(self):
        """Asks it to end, then insists. Returns its exit status."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode


def start_mock(build, folder, port=0):
    """Returns (process, base URL with /v1). Its journal is mock.jsonl in `folder`."""
    mock = Process("mock_upstream",
                   [str(build / "bin/mock_upstream"), "--port", str(port), "--journal", f"{folder}/mock.jsonl"],
                   folder)
    address = mock.wait_until(lambda: re.search(r"listening on (\S+)", mock.output()))
    return mock, f"http://{address.group(1)}/v1"


def base_url(upstream, dialect):
    """Where the mock speaks it."""
    return upstream.removesuffix("/v1") + ("/v1beta" if dialect == "gemini" else "/v1")


def public(script):
    """The name under which a script of the mock is served: names have no `=` and no `,`."""
    return script.replace("=", ".").replace(",", "/")


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
