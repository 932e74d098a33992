"""One program under test with its database, a mock upstream and load, in a folder that is removed."""

import argparse
import http.client
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from deeppool_e2e.processes import Process, base_url, public, start_mock  # noqa: E402

from stores import CannotRunHere, open_store  # noqa: E402

SKIPPED = 77  # what ctest shows as "skipped"
START_SECONDS = 30


def port_for_restarts():
    """A port below those that the kernel hands to clients: it must still be free after a restart."""
    for _ in range(200):
        port = random.SystemRandom().randrange(15000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def name_of(dialect, script, kind=""):
    """`kind`: "spare" (it has another endpoint), "hybrid" (it has another child), "child" (of a hybrid)."""
    return f"{dialect}/{public(script)}" + (f"+{kind}" if kind else "")


class World:
    """`models` are scripts of the mock (mock-ok:tokens=5); `prices` their pricing_tiers, free without; `dialect` is
    what the mock speaks for them."""

    def __init__(self, build, models, store="sqlite", settings=None, quota=-1, start=True,
                 prices=None, dialect="openai"):
        self.build = Path(build)
        self.folder = Path(tempfile.mkdtemp(prefix="deeppool-reliability-"))
        self.port = port_for_restarts()
        self.data_dir = self.folder / "data"
        self.store = open_store(store, self.data_dir)
        # None of these may be seen in clear anywhere.
        self.secrets = {"key": "dp-none-yet", "session": "none yet", "password": secrets.token_urlsafe(18),
                        "upstream key": "sk-up-" + secrets.token_urlsafe(24)}
        self.key_id = 0
        self.mock, self.upstream = start_mock(self.build, self.folder)
        self.config = {
            "server": {"http_addr": f"127.0.0.1:{self.port}"},
            "data_dir": str(self.data_dir),
            "tokenizers_dir": str(self.build.resolve().parent / "share/tokenizers"),
            "stream_timeouts": {"first_token_timeout_seconds": 3, "inter_chunk_idle_timeout_seconds": 2},
            "admin": {"super_admin": {"username": "admin", "password": self.secrets["password"]}},
            **self.store.settings(), **(settings or {}),
        }
        self.config_file = self.folder / "deeppool.yaml"
        self.config_file.write_text(json.dumps(self.config))  # JSON is YAML
        self.program = None
        self.loads = []
        self.models, self.quota, self.prices, self.dialect = models, quota, prices or {}, dialect
        if start:
            self.prepare()

    def prepare(self):
        """Makes the tables, the key and the models; the program is stopped afterwards."""
        self.start()
        self._fill(self.models, self.quota)
        self.stop()

    def _fill(self, models, quota):
        token = self.admin("users/login", {"username": "admin", "password": self.secrets["password"]})["token"]
        self.secrets["session"] = token
        key = self.admin("apikeys", {"name": "load", "quota_total": quota})
        self.secrets["key"], self.key_id = key["full_key"], int(key["id"])
        for script in models:
            name = public(script)
            ids = [self.endpoint_of(self.dialect, name, script)]
            self.admin("admin/models", {"model_name": name, "vendor_type": "provider", "endpoint_ids": ids,
                                        "pricing_tiers": self.prices.get(script, [])})

    def admin(self, path, body, method="POST"):
        """What the platform's own API answers."""
        headers = {"Authorization": f"Bearer {self.secrets['session']}"}
        status, _, answer = self.call(method, f"/api/v1/{path}", body, headers)
        if status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {status} {answer.decode()}")
        return json.loads(answer)["data"]

    def endpoint_of(self, dialect, name, script, **more):
        """The id of a new endpoint at the mock, which speaks `dialect` there."""
        return self.admin("admin/endpoints", {"name": name, "provider_type": dialect,
                                              "endpoint": base_url(self.upstream, dialect),
                                              "api_key": self.secrets["upstream key"],
                                              "upstream_model": script, **more})["id"]

    def serve(self, dialect, scripts, kind="", spare=None, price=()):
        """The scripts as models `name_of(dialect, script, kind)`. `spare` is the id of an endpoint that each of them
        falls back to."""
        source = self.endpoint_of(dialect, f"{dialect} {kind}".strip(), "mock-ok:none", priority=1)
        cost = {"pricing_tiers": price} if price else {"free": True}
        for begin in range(0, len(scripts), 50):
            wanted = [{"upstream_model": s, "model_name": name_of(dialect, s, kind), **cost}
                      for s in scripts[begin:begin + 50]]
            made = self.admin(f"admin/endpoints/{source}/import-models", {"models": wanted})["items"]
            for model in made if spare else ():
                self.admin(f"admin/models/{model['id']}", {"endpoint_ids": [*model["endpoint_ids"], spare]}, "PATCH")

    def serve_hybrids(self, dialect, scripts, other, price=()):
        """The scripts as hybrids `name_of(dialect, script, "hybrid")`: their own child is asked first, then the model
        `other`."""
        self.serve(dialect, scripts, "child", price=price)
        for script in scripts:
            child = name_of(dialect, script, "child")
            self.admin("admin/models", {"model_name": name_of(dialect, script, "hybrid"), "vendor_type": "hybrid",
                                        "child_models": [child, other],
                                        "routing_policy": f"default_targets: [{json.dumps(child)}]\n"})

    @property
    def key(self):
        return self.secrets["key"]

    def launch(self, env=None):
        """Starts the program without waiting for it."""
        command = [str(self.build / "bin/deeppool"), "--config", str(self.config_file)]
        self.program = Process("deeppool", command, self.folder, env)
        return self.program

    def start(self, env=None):
        """The seconds until it answered. None if it died before, which only a crash point may cause."""
        began = time.monotonic()
        self.launch(env)
        while self.program.child.poll() is None:
            if self.answers():
                return time.monotonic() - began
            if time.monotonic() - began > START_SECONDS:
                raise RuntimeError(f"the program does not answer:\n{self.program.output()[-3000:]}")
            time.sleep(0.005)
        if not env:
            raise RuntimeError(f"the program ended:\n{self.program.output()[-3000:]}")
        return None

    def answers(self):
        try:
            return self.call("GET", "/v1/models", timeout=2)[0] in (200, 401)
        except OSError:
            return False

    def kill(self):
        self.program.child.kill()
        self.program.child.wait()

    def stop(self, seconds=15):
        """Its exit status after SIGTERM."""
        child = self.program.child
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        return child.returncode

    def end(self, verdict):
        """Stops the program, which must end by itself and without a complaint."""
        status = self.stop()
        if not verdict.expect(status == 0, "the program ends well, exit status", status):
            print(self.program.output()[-8000:], flush=True)

    @property
    def pid(self):
        return self.program.child.pid

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as numbers:
            return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def call(self, method, path, body=None, headers=None, timeout=15):
        """(status, headers, bytes) of one request with the world's key."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            given = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            given.update(headers or {})
            payload = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
            connection.request(method, path, payload, {k: v for k, v in given.items() if v is not None})
            answer = connection.getresponse()
            return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
        except http.client.HTTPException as broken:
            raise ConnectionError(str(broken)) from broken
        finally:
            connection.close()

    def chat(self, model, timeout=15, **more):
        body = {"model": public(model), "messages": [{"role": "user", "content": "Say it."}], **more}
        return self.call("POST", "/v1/chat/completions", body, timeout=timeout)

    def ask(self, caller, model, timeout=15, stream=False, key=None, **more):
        """The same in another caller's protocol (callers.py)."""
        return self.call("POST", caller.path, caller.body(public(model), stream, **more),
                         caller.headers(key or self.key), timeout)

    def load(self, name, model, *flags, path="/v1/chat/completions"):
        """Starts loadgen; its journal is <name>.jsonl, its report <name>.json."""
        command = [str(self.build / "bin/loadgen"), "--url", f"http://127.0.0.1:{self.port}{path}",
                   "--key", self.key, "--model", public(model), "--seed", str(len(self.loads) + 1),
                   "--journal", str(self.folder / f"{name}.jsonl"),
                   "--json", str(self.folder / f"{name}.json"), *map(str, flags)]
        process = Process(f"loadgen-{name}", command, self.folder)
        self.loads.append(process)
        return process

    def report(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())

    def journal(self, name):
        file = self.folder / f"{name}.jsonl"
        return [json.loads(line) for line in file.open()] if file.exists() else []

    def metric(self, name):
        text = self.call("GET", "/metrics")[2].decode()
        return float(next(line.split()[1] for line in text.splitlines() if line.startswith(name + " ")))

    def mock_stats(self):
        host = self.upstream.split("//")[1].split("/")[0]
        connection = http.client.HTTPConnection(host, timeout=60)  # it may be busy flooding
        try:
            connection.request("GET", "/mock/stats")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def leaks(self):
        """Where a secret was found in clear: "what in where"."""
        places = {"database": self.store.dump(), "log": self.program.log.read_bytes()}
        for file in self.data_dir.rglob("*"):
            if file.is_file():
                places[f"data_dir/{file.name}"] = file.read_bytes()
        if self.program.child.poll() is None:
            places["metrics"] = self.call("GET", "/metrics")[2]
        return [f"{what} in {where}" for where, text in places.items() for what, secret in self.secrets.items()
                if secret.encode() in text]

    def close(self):
        for process in self.loads + [self.program, self.mock]:
            if process:
                process.stop()
        try:
            self.store.drop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class Verdict:
    """Collects what a test has shown: figures to print, and whether it failed."""

    def __init__(self):
        self.failed = 0

    def expect(self, holds, what, figure=""):
        if not holds:
            self.failed += 1
        print(f"{'ok  ' if holds else 'FAIL'} {what}{': ' if figure != '' else ''}{figure}", flush=True)
        return holds

    def note(self, what, figure):
        print(f"     {what}: {figure}", flush=True)


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0


def main(test, describe):
    """Runs `test(options, verdict)` with the common flags; `describe` may add more."""
    parser = argparse.ArgumentParser(description=test.__doc__)
    parser.add_argument("--build", type=Path, default=Path("build/dev"))
    parser.add_argument("--sanitized", action="store_true", help="no bounds of memory: a sanitizer has its own")
    describe(parser)
    options = parser.parse_args()
    verdict = Verdict()
    try:
        test(options, verdict)
    except CannotRunHere as absent:
        print(f"skipped: {absent}")
        return SKIPPED
    return 1 if verdict.failed else 0
