"""The platform under test: its configuration, its start, and what an administrator does to it."""

import json
import secrets
import urllib.error
import urllib.request
from pathlib import Path

from .processes import Process, answers, free_port

ADMIN = "admin"


class ApiError(RuntimeError):
    pass


class Platform:
    """Runs `deeppool` on SQLite in `folder`. `settings` replace top-level keys of the configuration."""

    def __init__(self, build, folder, settings=None):
        self.folder = Path(folder)
        self.password = secrets.token_urlsafe(18)
        port = free_port()
        self.root = f"http://127.0.0.1:{port}"
        self.base_url = f"{self.root}/v1"
        config = {
            "server": {"http_addr": f"127.0.0.1:{port}"},
            "data_dir": str(self.folder / "data"),
            "tokenizers_dir": str((build.parent / "share/tokenizers").resolve()),
            "stream_timeouts": {"first_token_timeout_seconds": 3,
                                "inter_chunk_idle_timeout_seconds": 2},
            "admin": {"super_admin": {"username": ADMIN, "password": self.password}},
        }
        config.update(settings or {})
        self.config = self.folder / "deeppool.yaml"
        self.config.write_text(json.dumps(config))  # JSON is YAML
        self.config.chmod(0o600)
        self.binary = build / "bin/deeppool"
        self.token = None
        self.start()

    def start(self):
        """Also starts it again after stop(), on the same data."""
        self.process = Process("deeppool", [str(self.binary), "--config", str(self.config)], self.folder)
        self.process.wait_until(lambda: answers(f"{self.root}/api/v1/health/ready"))
        self.token = self.call("POST", "users/login",
                               {"username": ADMIN, "password": self.password})["token"]

    def stop(self):
        return self.process.stop()

    def call(self, method, path, body=None):
        """`data` of the envelope; ApiError with the whole answer if it is not a success."""
        request = urllib.request.Request(f"{self.root}/api/v1/{path}", method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        payload = json.dumps(body).encode() if body is not None else None
        try:
            with urllib.request.urlopen(request, payload, timeout=10) as answer:
                envelope = json.load(answer)
        except urllib.error.HTTPError as refusal:
            raise ApiError(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from None
        if envelope["code"] != 0:
            raise ApiError(f"{method} {path}: {envelope}")
        return envelope["data"]

    def add_model(self, name, base_url, upstream_model, provider_type="openai", tiers=()):
        endpoint = self.call("POST", "admin/endpoints",
                             {"name": name, "provider_type": provider_type, "endpoint": base_url,
                              "api_key": "sk-mock", "upstream_model": upstream_model, "enabled": True})
        return self.call("POST", "admin/models",
                         {"model_name": name, "vendor_type": "provider",
                          "endpoint_ids": [endpoint["id"]], "pricing_tiers": list(tiers),
                          "enabled": True})

    def add_key(self, name, **limits):
        return self.call("POST", "apikeys", {"name": name, **limits})["full_key"]
