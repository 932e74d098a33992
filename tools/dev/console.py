"""/api/v1 of a running platform, as an administrator calls it."""

import json
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_SECONDS = 20  # bcrypt of the log-in on a busy machine included


class Refused(Exception):
    def __init__(self, call, status, message):
        super().__init__(f"{call} was refused with {status}: {message}")
        self.status = status


class Console:
    def __init__(self, root):
        self.root = root
        self.token = None
        # Never through a proxy: the platform is on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ready(self):
        try:
            with self._opener.open(f"{self.root}/api/v1/health/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def log_in(self, username, password):
        self.token = self.call("POST", "users/login", {"username": username, "password": password})["token"]

    def call(self, method, path, body=None):
        """`data` of the answer; Refused for anything but a success."""
        request = urllib.request.Request(f"{self.root}/api/v1/{path}", method=method)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        payload = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            payload = json.dumps(body).encode()
        try:
            with self._opener.open(request, payload, timeout=TIMEOUT_SECONDS) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refusal:
            text = refusal.read().decode(errors="replace")
            try:
                text = json.loads(text)["message"]
            except (ValueError, KeyError, TypeError):
                pass
            raise Refused(f"{method} {path}", refusal.code, text) from None

    def find(self, path, field, value):
        """The item of a list whose `field` is exactly `value`, or nothing."""
        keyword = urllib.parse.quote(value)
        items = self.call("GET", f"{path}?page_size=100&keyword={keyword}")["items"]
        return next((item for item in items if item[field] == value), None)
