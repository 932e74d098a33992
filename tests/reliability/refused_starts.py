#!/usr/bin/env python3
"""A start that cannot succeed says why in one error on stderr, ends at once, and harms nothing."""

import json
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

from disk_full import SmallDisk
from stores import CannotRunHere, Mariadb
from world import World, main

MODEL = "mock-ok:tokens=3"
AT_ONCE = 10  # seconds; a database that does not answer may take some


def try_start(world, config, verdict, what, says):
    """Starts the program on `config` (a dict or YAML text), which must fail naming each of `says`."""
    file = Path(world.folder) / "refused.yaml"
    file.write_text(config if isinstance(config, str) else json.dumps(config))
    began = time.monotonic()
    try:
        done = subprocess.run([str(world.build / "bin/deeppool"), "--config", str(file)], capture_output=True,
                              text=True, timeout=AT_ONCE, check=False)
    except subprocess.TimeoutExpired:
        verdict.expect(False, what, f"no end within {AT_ONCE} s")
        return
    missing = [word for word in says if word not in done.stderr]
    said = done.stderr[done.stderr.find("error:"):].strip() or done.stderr[-300:]
    verdict.expect(done.returncode not in (0, -6, -11) and "error: " in done.stderr and not missing, what,
                   f"{time.monotonic() - began:.1f} s, status {done.returncode}: {said}"
                   + (f" MISSING {missing}" if missing else ""))


def configurations(world, verdict):
    good = json.dumps(world.config)
    try_start(world, {**world.config, "sever": {}}, verdict, "unknown section", ["sever", "server", "refused.yaml:1"])
    text = f"data_dir: {world.folder}/x\nstream_timeouts:\n  first_token_timeout_second: 3\n"
    try_start(world, text, verdict, "unknown key", ["first_token_timeout_seconds", "refused.yaml:3"])
    try_start(world, {**world.config, "server": {"loops": "many"}}, verdict, "wrong type", ["server.loops"])
    try_start(world, {**world.config, "server": {"loops": 100000}}, verdict, "out of range", ["server.loops", "256"])
    try_start(world, good[:-1], verdict, "broken YAML", ["refused.yaml"])


def places(world, verdict):
    elsewhere = str(world.folder / "elsewhere")
    try_start(world, {**world.config, "data_dir": elsewhere}, verdict, "port in use", [str(world.port), "in use"])
    free = {**world.config, "server": {"http_addr": "127.0.0.1:0"}}
    try_start(world, free, verdict, "second instance on the same data directory", [str(world.data_dir)])
    file = world.folder / "file"
    file.write_text("")
    try_start(world, {**free, "data_dir": str(file / "sub")}, verdict, "data directory below a file", [str(file)])
    try_start(world, {**free, "data_dir": elsewhere, "tokenizers_dir": "/nowhere"}, verdict, "no tokenizers",
              ["/nowhere"])


def disks(world, verdict):
    free = {**world.config, "server": {"http_addr": "127.0.0.1:0"}}
    for options, what, says in [("ro", "read-only data directory", "ead-only"),
                                ("size=8m", "data directory on a volatile disk", "spool.allow_volatile")]:
        path = world.folder / f"disk-{options[:2]}"
        try:
            disk = SmallDisk(path, options)
        except CannotRunHere as absent:
            verdict.note(f"not shown: {what}", absent)
            continue
        try_start(world, {**free, "data_dir": str(path)}, verdict, what, [says, str(path)])
        disk.remove()


def databases(world, verdict):
    free = {**world.config, "server": {"http_addr": "127.0.0.1:0"}, "data_dir": str(world.folder / "sql-data")}
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        away = {"mysql": {"host": "127.0.0.1", "port": port, "user": "u", "password": "p", "database": "d"}}
        try_start(world, {**free, **away}, verdict, "database out of reach", ["127.0.0.1", str(port)])
    try:
        server = Mariadb()
    except CannotRunHere as absent:
        verdict.note("not shown: wrong database password", absent)
        return
    user, wrong = f"u{secrets.token_hex(4)}", secrets.token_hex(8)
    server.run(f"CREATE USER '{user}'@'localhost' IDENTIFIED BY 'right'; GRANT ALL ON *.* TO '{user}'@'localhost';")
    settings = {"socket": server.socket, "user": user, "password": wrong, "database": server.database}
    try_start(world, {**free, "mysql": settings}, verdict, "wrong database password", [user, "password"])
    absent = {**settings, "password": "right", "database": "no_such_database"}
    try_start(world, {**free, "mysql": absent}, verdict, "no such database", ["no_such_database"])
    server.run(f"DROP USER '{user}'@'localhost';")
    server.drop()


def refused_starts(options, verdict):
    """Starts that cannot succeed, beside a program that serves."""
    world = World(options.build, [MODEL])
    try:
        world.start()
        for group in (configurations, places, disks, databases):
            group(world, verdict)
        verdict.expect(world.chat(MODEL)[0] == 200, "the running program was not disturbed")
        world.end(verdict)
        rows = world.store.rows("SELECT COUNT(*) FROM usage_records")
        verdict.expect(rows == [("1",)], "and its usage is stored", rows)
    finally:
        world.close()
        shutil.rmtree(world.folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main(refused_starts, lambda parser: None))
