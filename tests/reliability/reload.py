#!/usr/bin/env python3
"""Configuration is swapped again and again under load, by SIGHUP and by administrators: no request fails, and what is
in force at the end is what a fresh start would load."""

import json
import signal
import time

from judge import judge_requests, judge_sums, mock_truth, usage_rows
from world import World, main, public

MODEL = "mock-ok:tokens=5,delay_ms=2"
STREAM = "mock-ok:tokens=20,chunk_ms=5"
OTHERS = [f"mock-ok:tokens={n}" for n in range(6, 10)]  # change while the first two are called
RATE = 100  # requests a second, and as many streams in ten
SWAP_SECONDS = 60 / 500  # as the bar has it
VOLATILE = {"updated_at", "last_used_at", "quota_used", "charged_yuan", "health"}
PRICES = [[], [{"max_input_tokens": 0, "input_price": "1", "output_price": "2"}]]


class Console:
    """What an administrator does with the platform."""

    def __init__(self, world):
        self.world = world

    def call(self, method, path, body=None):
        status, _, answer = self.world.call(method, f"/api/v1/{path}", body,
                                            {"Authorization": f"Bearer {self.world.secrets['session']}"})
        if status != 200:
            raise RuntimeError(f"{method} {path}: {status} {answer.decode()}")
        return json.loads(answer)["data"]

    def objects(self, path):
        return self.call("GET", f"{path}?page_size=100")["items"]


def by_administrator(console, number):
    """One change of a model, an endpoint or a key; all have `number` in them."""
    models = {m["model_name"]: m["id"] for m in console.objects("admin/models")}
    other = models[public(OTHERS[number % len(OTHERS)])]
    kind = number // 2 % 4
    if kind == 0:
        console.call("POST", f"admin/models/{other}/enabled", {"enabled": number % 8 < 4})
    elif kind == 1:
        console.call("PATCH", f"admin/models/{other}", {"pricing_tiers": PRICES[number // 8 % 2], "priority": number})
    elif kind == 2:
        endpoint = console.objects("admin/endpoints")[0]["id"]
        console.call("PATCH", f"admin/endpoints/{endpoint}", {"weight": 1 + number % 50})
    else:
        console.call("PATCH", f"apikeys/{console.world.key_id}", {"rate_limit_rpm": 1_000_000 + number})


def by_signal(world, number):
    """A changed file and SIGHUP; every tenth is unsound and must change nothing."""
    config = dict(world.config, log_level="info" if number % 4 else "warn")
    config["stream_timeouts"] = {"first_token_timeout_seconds": 3 + number % 5, "inter_chunk_idle_timeout_seconds": 2}
    if number % 10 == 5:
        config["no_such_key"] = 1
    world.config_file.write_text(json.dumps(config))
    world.program.child.send_signal(signal.SIGHUP)


def stripped(value):
    if isinstance(value, list):
        return [stripped(v) for v in value]
    if isinstance(value, dict):
        return {k: stripped(v) for k, v in value.items() if k not in VOLATILE}
    return value


def state(world):
    """What callers and administrators see, and what the limiter and the prices make of it."""
    console = Console(world)
    seen = {path: stripped(console.objects(path)) for path in ("admin/models", "admin/endpoints", "apikeys")}
    seen["public"] = stripped(console.objects("public/models"))
    seen["v1"] = sorted(m["id"] for m in json.loads(world.call("GET", "/v1/models")[2])["data"])
    for script in (MODEL, STREAM, *OTHERS):
        status, headers, body = world.chat(script)
        told = json.loads(body)
        seen[script] = (status, headers.get("x-ratelimit-limit-requests"), headers.get("x-deeppool-cost"),
                        told.get("error", {}).get("code"))
    return seen


def judge_state(verdict, world):
    """Each state twice: a change may take a second to be in force everywhere."""
    time.sleep(1)
    world.config_file.write_text(json.dumps(world.config))
    grown = state(world)
    world.end(verdict)
    world.start()
    fresh = state(world)
    differing = [what for what in fresh if fresh[what] != grown[what]]
    verdict.expect(not differing, "what is in force is what a fresh start loads",
                   [(grown[w], fresh[w]) for w in differing[:2]] or f"{len(fresh)} views")


def reload(options, verdict):
    """Configuration swaps under load."""
    world = World(options.build, [MODEL, STREAM, *OTHERS], start=True)
    try:
        world.start()
        world.call("GET", "/v1/models")
        console, seconds = Console(world), options.swaps * SWAP_SECONDS
        loads = [world.load("whole", MODEL, "--rate", RATE, "--connections", 16, "--duration", seconds + 1),
                 world.load("streams", STREAM, "--stream", "--rate", RATE / 10, "--connections", 16,
                            "--duration", seconds + 1)]
        began = time.monotonic()
        for number in range(options.swaps):
            by_signal(world, number) if number % 2 else by_administrator(console, number)
            time.sleep(max(0, began + (number + 1) * SWAP_SECONDS - time.monotonic()))
        took = time.monotonic() - began
        for load in loads:
            load.child.wait(seconds + 60)
        reports = {name: world.report(name) for name in ("whole", "streams")}
        failed = sum(r["failed"] for r in reports.values())
        verdict.expect(failed == 0, f"{options.swaps} swaps in {took:.1f} s: no request fails",
                       {n: (r["completed"], r["failed"]) for n, r in reports.items()})
        log = world.program.output()
        verdict.expect(log.count("configuration not reloaded") > 0 and "panic" not in log, "unsound files are refused",
                       log.count("configuration not reloaded"))
        lines = world.journal("whole") + world.journal("streams")
        judge_state(verdict, world)
        world.stop()
        judge_requests(verdict, lines, usage_rows(world), mock_truth(world))
        judge_sums(verdict, world.store)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--swaps", type=int, default=80)


if __name__ == "__main__":
    raise SystemExit(main(reload, describe))
