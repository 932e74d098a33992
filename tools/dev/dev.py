#!/usr/bin/env python3
"""The running half of ./dev.sh: the platform and its demo provider, started, filled and stopped.

Everything it makes on the platform goes through the same API that an administrator uses, and is made only
once: a second run finds it. What later runs need (the administrator's password, the API key) is kept in
dev.env beside the database, readable by its owner only.
"""

import argparse
import contextlib
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from console import Console, Refused
from programs import Failed, Program, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
ADMIN = "admin"
DEMO = "demo"
DEMO_ENDPOINT = "demo (a script, no AI)"
KEY_NAME = "dev.sh"
CURL_SECONDS = 30


class Stopped(Exception):
    """A signal asked us to end."""


class Keepsakes:
    """dev.env: shell variables, so that `. data/dev.env` gives a terminal what the README's commands use."""

    NAMES = ("DP_URL", "DP_ADMIN_PASSWORD", "DP_TOKEN", "DP_KEY")

    def __init__(self, folder):
        self.path = folder / "dev.env"
        self.values = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                name, _, value = line.partition("=")
                if name in self.NAMES:
                    self.values[name] = "".join(shlex.split(value))

    def keep(self, **values):
        self.values.update(values)
        text = "# Written by ./dev.sh. Secrets of this installation: keep it to yourself.\n"
        text += "".join(f"{name}={shlex.quote(value)}\n" for name, value in self.values.items())
        draft = self.path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(text)
        draft.rename(self.path)


def admin_password(folder, keepsakes):
    """The password of the administrator; a new one where there is no installation yet."""
    given = os.environ.get("DP_ADMIN_PASSWORD") or keepsakes.values.get("DP_ADMIN_PASSWORD")
    if given:
        return given
    if (folder / "deeppool.db").exists():
        raise Failed(f"{folder} holds an installation that dev.sh did not make, so it does not know the "
                     f"password of '{ADMIN}'.\n  Tell it: DP_ADMIN_PASSWORD=... ./dev.sh\n"
                     f"  or begin anew elsewhere: ./dev.sh --data {folder}-dev")
    password = secrets.token_urlsafe(15)
    keepsakes.keep(DP_ADMIN_PASSWORD=password)
    return password


def tokenizers(build):
    for place in (build / "share/tokenizers", build.parent / "share/tokenizers"):
        if place.is_dir():
            return place
    raise Failed(f"there are no tokenizers beside {build}; build with ./build.sh or without --build")


def start_platform(options, password, running):
    port = free_port(options.port)
    if port != options.port:
        print(f"dev.sh: port {options.port} is taken; using {port}", flush=True)
    settings = {
        "DEEPPOOL_SERVER__HTTP_ADDR": f"127.0.0.1:{port}",
        "DEEPPOOL_DATA_DIR": str(options.data),
        # Containers lie on overlay file systems; for a trial the usage records may go with them.
        "DEEPPOOL_SPOOL__ALLOW_VOLATILE": "true",
        "DEEPPOOL_TOKENIZERS_DIR": str(tokenizers(options.build)),
        "DEEPPOOL_ADMIN__SUPER_ADMIN__USERNAME": ADMIN,
        "DEEPPOOL_ADMIN__SUPER_ADMIN__PASSWORD": password,
    }
    command = [options.build / "bin/deeppool", "--config", ROOT / "config/deeppool.yaml"]
    platform = Program(command, options.data / "deeppool.log", settings)
    running.append(platform)
    console = Console(f"http://127.0.0.1:{port}")
    platform.wait_until(console.ready)
    return console


def start_demo_provider(options, running):
    mock = Program([options.build / "bin/mock_upstream", "--port", "0"], options.data / "demo_provider.log")
    running.append(mock)
    line = mock.wait_until(lambda: next((text for text in mock.output().splitlines()
                                         if text.startswith("listening on ")), None))
    return f"http://{line.split()[-1]}/v1"


def fill(console, upstream):
    """The demo endpoint and model, and a key; whatever is there already stays. Returns the key."""
    endpoint = console.find("admin/endpoints", "name", DEMO_ENDPOINT)
    wanted = {"endpoint": upstream, "upstream_model": "mock-demo"}
    if not endpoint:
        endpoint = console.call("POST", "admin/endpoints", {
            "name": DEMO_ENDPOINT, "model_family": DEMO, "provider_type": "custom", **wanted})
    elif any(endpoint[name] != value for name, value in wanted.items()):
        console.call("PATCH", f"admin/endpoints/{endpoint['id']}", wanted)
    if not console.find("admin/models", "model_name", DEMO):
        console.call("POST", "admin/models", {
            "model_name": DEMO, "vendor_type": "provider", "endpoint_ids": [endpoint["id"]],
            "pricing_tiers": [], "tags": [DEMO]})
    key = console.find("apikeys", "name", KEY_NAME)
    if not key:
        return console.call("POST", "apikeys", {"name": KEY_NAME})["full_key"]
    return console.call("GET", f"apikeys/{key['id']}/secret")["full_key"]


def curl_line(base_url, key):
    """What a newcomer pastes; it ends with an answer that streams."""
    # curl would send even this to a proxy that the environment names.
    proxied = os.environ.get("http_proxy") or os.environ.get("all_proxy") or os.environ.get("ALL_PROXY")
    direct = " --noproxy 127.0.0.1" if proxied else ""
    return (f"curl -sSN{direct} {base_url}/chat/completions \\\n"
            f"    -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n"
            '    -d \'{"model":"demo","stream":true,"messages":[{"role":"user","content":"Hello!"}]}\'')


def try_out(line):
    """Runs the very line that will be printed, and counts the events that it brings."""
    began = time.monotonic()
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=CURL_SECONDS,
                          stdin=subprocess.DEVNULL, check=False)
    events = [text for text in done.stdout.splitlines() if text.startswith("data: ")]
    if done.returncode or len(events) < 3 or events[-1] != "data: [DONE]":
        raise Failed(f"the demo model does not answer as it should. This was run:\n{line}\n"
                     f"It ended with status {done.returncode} and said:\n{done.stdout}{done.stderr}")
    return f"{len(events)} events in {time.monotonic() - began:.1f} s"


def explain(console, keepsakes, line, outcome):
    kept = keepsakes.values
    print(f"""
DeepPool is ready at {console.root}

  OpenAI base URL  {console.root}/v1
  API key          {kept['DP_KEY']}
  model            {DEMO}  (a script that plays a provider: no AI, no account, no cost)
  administrator    {ADMIN}  password {kept['DP_ADMIN_PASSWORD']}

An answer that streams (tried a moment ago: {outcome}):

  {line}

README.md shows how to add a real provider with two commands; they use what
`. {display(keepsakes.path)}` sets. That file has the password and the key, for you and
later runs of dev.sh only (mode 0600). Log: {display(keepsakes.path.parent / 'deeppool.log')}

Ctrl-C stops it.""", flush=True)


def display(path):
    """As one would type it here."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def log_in(console, password, options):
    try:
        console.log_in(ADMIN, password)
    except Refused as refusal:
        if refusal.status != 401:
            raise
        raise Failed(f"the platform does not accept the password that dev.sh knows for '{ADMIN}'; it was "
                     "changed.\n  Tell it the new one: DP_ADMIN_PASSWORD=... ./dev.sh\n  or have one made: "
                     f"DEEPPOOL_DATA_DIR={display(options.data)} {display(options.build)}/bin/deeppool "
                     "admin reset-password") from None


def make_folder(folder):
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Failed(f"{folder} cannot be the folder for its files: {error.strerror}") from None


def require_programs(build):
    for program in (build / "bin/deeppool", build / "bin/mock_upstream"):
        if not os.access(program, os.X_OK):
            raise Failed(f"there is no program {program}; without --build, dev.sh builds it")


def run(options, running):
    require_programs(options.build)
    make_folder(options.data)
    keepsakes = Keepsakes(options.data)
    password = admin_password(options.data, keepsakes)
    console = start_platform(options, password, running)
    log_in(console, password, options)
    key = fill(console, start_demo_provider(options, running))
    keepsakes.keep(DP_URL=console.root, DP_ADMIN_PASSWORD=password, DP_TOKEN=console.token, DP_KEY=key)
    line = curl_line(f"{console.root}/v1", key)
    outcome = try_out(line)
    if options.check:
        print(f"dev.sh: the demo model answers ({outcome})", flush=True)
        return
    explain(console, keepsakes, line, outcome)
    while True:
        time.sleep(0.2)
        for program in running:
            if program.ended():
                raise Failed(f"{program.name} {program.how_it_ended()}; its last lines:\n{program.last_lines()}")


def stop_all(running):
    for program in running:  # the platform first: it may still be reading from the demo provider
        program.stop()


def read_options():
    parser = argparse.ArgumentParser(prog="dev.sh", usage="see ./dev.sh --help")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=ROOT / "data")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    options.build, options.data = options.build.resolve(), options.data.resolve()
    if not 1 <= options.port <= 65535:
        parser.error("--port is a number from 1 to 65535")
    return options


def end(_signal, _frame):
    raise Stopped


def main():
    options = read_options()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    running = []
    status = 0
    try:
        run(options, running)
    except Stopped:
        with contextlib.suppress(OSError):  # nobody may be reading any more
            print("\ndev.sh: stopping", flush=True)
    except (Failed, Refused, OSError, subprocess.TimeoutExpired) as error:
        print(f"dev.sh: {error}", file=sys.stderr)
        status = 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop_all(running)
    return status


if __name__ == "__main__":
    sys.exit(main())
