"""The stand: the programs that a benchmark runs, each pinned to its core, on ports of its own.

The process under test (DeepPool or nginx) has core 0; the upstream and the load share core 1.
"""

import contextlib
import hashlib
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import seed

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "build" / "release" / "bin"
TESTED_CORE, LOAD_CORE = "0", "1"
KEY = "dp-" + "b" * 43
ADMIN_PASSWORD = secrets.token_urlsafe(18)
READY_SECONDS = 30


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process, patience=READY_SECONDS):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[:4]} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.005)
    raise RuntimeError(f"{process.args[:4]} did not listen on {port}")


class Program:
    """A running program; `url(kind)` is where its load goes."""

    def __init__(self, name, args, env=None, log=None):
        self.name = name
        out = open(log, "ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(args, stdout=out, stderr=out, env=env)
        self.pid = self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def pinned(core, *args):
    return ["taskset", "-c", core, *map(str, args)]


class Mock(Program):
    def __init__(self, certificate=None):
        self.port = free_port()
        args = [BIN / "mock_upstream", "--port", self.port]
        if certificate:
            args += ["--tls-cert", certificate[0], "--tls-key", certificate[1]]
        super().__init__("direct", pinned(LOAD_CORE, *args))
        wait_for_port(self.port, self.process)

    def url(self, kind="plain"):
        return f"http://127.0.0.1:{self.port}/v1/chat/completions"

    def model(self, model, kind="plain"):
        return model


class Nginx(Program):
    """One worker; a port per kind of use, as its settings differ by location in real life, too."""

    KINDS = ("plain", "logged", "stream", "tls")

    def __init__(self, work, mocks, certificate):
        self.ports = {kind: free_port() for kind in self.KINDS}
        text = (ROOT / "bench" / "nginx.conf").read_text()
        values = {"DIR": work, "UPSTREAM": mocks[0].port, "TLS_UPSTREAM": mocks[1].port,
                  "CA": certificate[0]}
        values |= {kind.upper(): port for kind, port in self.ports.items()}
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        config = work / "nginx.conf"
        config.write_text(text)
        super().__init__("nginx", pinned(TESTED_CORE, "nginx", "-p", work, "-c", config))
        wait_for_port(self.ports["plain"], self.process)

    def url(self, kind="plain"):
        return f"http://127.0.0.1:{self.ports[kind]}/v1/chat/completions"

    def model(self, model, kind="plain"):
        return model

    def worker(self):
        path = f"/proc/{self.pid}/task/{self.pid}/children"
        return int(Path(path).read_text().split()[0])


class DeepPool(Program):
    """The release binary, one loop, SQLite, everything on: keys, limits, quota, money, spool, access log."""

    def __init__(self, work, certificate, command=(BIN / "deeppool",)):
        self.port = free_port()
        config = work / "deeppool.yaml"
        config.write_text(
            f"server: {{http_addr: '127.0.0.1:{self.port}', loops: 1}}\n"
            f"data_dir: {work / 'data'}\n"
            f"tokenizers_dir: {ROOT / 'build' / 'share' / 'tokenizers'}\n"
            f"admin: {{super_admin: {{username: admin, password: {ADMIN_PASSWORD}}}}}\n"
            f"access_log: {work / 'access.log'}\n")
        env = dict(os.environ, SSL_CERT_FILE=str(certificate[0]))
        args = pinned(TESTED_CORE, *command, "--config", config)
        log = work / "deeppool.log"
        self.started = time.monotonic()
        super().__init__("deeppool", args, env=env, log=log)
        try:
            wait_for_port(self.port, self.process)
        except RuntimeError as e:
            raise RuntimeError(f"{e}\n{log.read_text(errors='replace')[-2000:]}") from e

    def url(self, kind="plain"):
        return f"http://127.0.0.1:{self.port}/v1/chat/completions"

    def model(self, model, kind="plain"):
        return f"tls/{model}" if kind == "tls" else model

    def worker(self):
        return self.pid

    def serve(self, name, provider_type, base_url, upstream_model):
        """A model with an endpoint of its own, added as an administrator would."""
        token = self._admin("users/login", {"username": "admin", "password": ADMIN_PASSWORD})["token"]
        endpoint = self._admin("admin/endpoints", {
            "name": name, "provider_type": provider_type, "endpoint": base_url, "api_key": "sk-mock",
            "upstream_model": upstream_model}, token)
        self._admin("admin/models", {
            "model_name": name, "vendor_type": "provider", "endpoint_ids": [endpoint["id"]],
            "pricing_tiers": seed.PRICES}, token)

    def _admin(self, path, body, token=""):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}", json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["data"]


def prepare_deeppool(work, certificate, mocks, models, fill):
    """Lets DeepPool make its tables, then writes what the rows need."""
    DeepPool(work, certificate).stop()
    key_hash = hashlib.sha256(KEY.encode()).digest()
    upstreams = {"": f"http://127.0.0.1:{mocks[0].port}/v1",
                 "tls/": f"https://127.0.0.1:{mocks[1].port}/v1"}
    seed.write(work / "data" / "deeppool.db", key_hash, upstreams, models, fill)


def wait_for_answer(url, model, patience=READY_SECONDS):
    """Asks until the answer is 200, without a pause worth measuring."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]})
    end = time.monotonic() + patience
    status = None
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(url.split("/")[2], timeout=5)
            connection.request("POST", "/v1/chat/completions", body,
                               {"Authorization": f"Bearer {KEY}",
                                "Content-Type": "application/json"})
            status = connection.getresponse().status
            if status == 200:
                return
        time.sleep(0.001)
    raise RuntimeError(f"no answer but {status}")


def certificate(work):
    """A self-signed certificate for 127.0.0.1 that both contenders are told to trust."""
    cert, key = work / "cert.pem", work / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "30", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
    return cert, key


def load(url, watch=None, key=KEY, **options):
    """One run of loadgen; options are its flags. Returns its report."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        args = [BIN / "loadgen", "--url", url, "--json", out.name]
        if key:
            args += ["--key", key]
        if watch:
            args += ["--watch-pid", watch]
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            args += [flag] if value is True else [flag, value]
        done = subprocess.run(pinned(LOAD_CORE, *args), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"loadgen failed: {done.stdout}{done.stderr}")
        return json.load(open(out.name))


def resident(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024
