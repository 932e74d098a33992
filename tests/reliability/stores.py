"""The two databases that DeepPool runs on, as a test sees them: where the program finds them, and SQL."""

import os
import secrets
import sqlite3
import subprocess
from pathlib import Path


class CannotRunHere(Exception):
    """What the test needs is not on this machine."""


class Sqlite:
    name = "sqlite"

    def __init__(self, data_dir):
        self.data_dir = Path(data_dir)

    def settings(self):
        return {}

    def file(self):
        return next(f for f in self.data_dir.glob("*.db"))

    def rows(self, sql):
        connection = sqlite3.connect(self.file(), timeout=10)
        try:
            return [tuple("" if v is None else str(v) for v in row) for row in connection.execute(sql)]
        finally:
            connection.close()

    def run(self, script):
        connection = sqlite3.connect(self.file(), timeout=10)
        try:
            connection.executescript(script)
        finally:
            connection.close()

    def dump(self):
        """Every byte that the database keeps."""
        return b"".join(f.read_bytes() for f in self.data_dir.glob("*.db*"))

    def drop(self):
        pass


class Mariadb:
    """A database of its own in the server that `unix:SOCKET:USER` names."""

    name = "mariadb"

    def __init__(self, server=None):
        named = server or os.environ.get("DEEPPOOL_TEST_MARIADB")
        if not named:
            raise CannotRunHere("DEEPPOOL_TEST_MARIADB names no server")
        _, self.socket, self.user = named.split(":")
        self.database = f"rel_{secrets.token_hex(6)}"
        self._client(f"CREATE DATABASE {self.database}", "")

    def settings(self):
        return {"mysql": {"socket": self.socket, "user": self.user, "password": "",
                          "database": self.database}}

    def _client(self, sql, database):
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", f"--user={self.user}",
                   "--batch", "--skip-column-names", "--quick"]
        done = subprocess.run(command + ([database] if database else []), input=sql.encode(),
                              capture_output=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def rows(self, sql):
        text = self._client(sql, self.database)
        return [tuple(line.split("\t")) for line in text.splitlines()]

    def run(self, script):
        self._client(script, self.database)

    def dump(self):
        return subprocess.run(["mariadb-dump", "--no-defaults", f"--socket={self.socket}",
                               f"--user={self.user}", self.database],
                              capture_output=True, timeout=300, check=True).stdout

    def drop(self):
        self._client(f"DROP DATABASE {self.database}", "")


def open_store(name, data_dir):
    return Mariadb() if name == "mariadb" else Sqlite(data_dir)
