#!/usr/bin/env python3
"""A model with three endpoints of which one is dead, fails half of the time, is five seconds late, or all of that at
once: callers hardly notice, a bad one is ejected after at most three failures and is back within thirty seconds of
its recovery, and nobody pays for an attempt that failed."""

import concurrent.futures
import json
import signal
import threading
import time

from judge import judge_books, judge_requests, judge_rows, judge_sums, mock_truth, usage_rows
from world import World, main, port_for_restarts, quantile, start_mock

PRICE = [{"input_price": "2", "output_price": "8"}]
GOOD = "mock-ok:tokens=6"
HALF = "mock-flaky:percent=50,tokens=6"
LATE = "mock-ok:tokens=6,delay_ms=5000"
DEAD = "http://127.0.0.1:9/v1"  # discard: nobody listens there
SUCCESS = 0.999
BACK_SECONDS = 30
EJECTED_AFTER = 3
WHOLE_SECONDS = 8  # within which an unstreamed answer comes, or another endpoint is asked


class Fleet:
    """A world whose models have several endpoints."""

    def __init__(self, build):
        # Its patience for a first token is 3 s.
        self.world = World(build, [], settings={"failover": {"whole_answer_timeout_seconds": WHOLE_SECONDS}})
        self.world.start()
        self.world.admin("admin/users/1/wallet/adjustments",
                         {"amount_yuan": "1000", "reason": "the callers'", "reference": "top-up"})
        self.ids = {}
        self.journal = []
        self.mortal = None

    def endpoint(self, name, url, script, **more):
        self.ids[name] = self.world.admin("admin/endpoints", {
            "name": name, "provider_type": "openai", "endpoint": url, "upstream_model": script,
            "api_key": self.world.secrets["upstream key"], **more})["id"]

    def model(self, name, endpoints, **more):
        self.world.admin("admin/models", {
            "model_name": name, "vendor_type": "provider", "pricing_tiers": PRICE,
            "endpoint_ids": [self.ids[e] for e in endpoints], **more})

    def health(self, name):
        headers = {"Authorization": f"Bearer {self.world.secrets['session']}"}
        _, _, body = self.world.call("GET", f"/api/v1/admin/endpoints/{self.ids[name]}", headers=headers)
        return json.loads(body)["data"]["health"]

    def be_patient(self, seconds):
        config = dict(self.world.config, stream_timeouts={"first_token_timeout_seconds": seconds})
        self.world.config_file.write_text(json.dumps(config))
        self.world.program.child.send_signal(signal.SIGHUP)
        time.sleep(0.5)

    def counter(self, name, labels=""):
        text = self.world.call("GET", "/metrics")[2].decode()
        lines = [x for x in text.splitlines() if x.startswith(f"deeppool_{name}") and labels in x]
        return sum(float(x.split()[-1]) for x in lines)

    def ask(self, model, stream):
        """One line of the journal, as loadgen writes it."""
        began = time.monotonic()
        line = {"request_id": "", "status": 0, "end": "broken", "error_event": False}
        try:
            status, headers, body = self.world.chat(model, timeout=30, stream=stream)
            whole = body.rstrip().endswith(b"data: [DONE]") if stream else b'"choices"' in body
            line.update(status=status, request_id=headers.get("x-request-id", ""),
                        end="completed" if status == 200 and whole else "broken",
                        error_event=b'{"error":' in body)
        except OSError as broken:
            line["end"] = str(broken)
        line["seconds"] = time.monotonic() - began
        self.journal.append(line)
        return line

    def load(self, model, callers, seconds, meanwhile=lambda: None):
        """What so many callers saw, each asking streamed and whole in turn."""
        stopping, seen = threading.Event(), []

        def ask_on(turn):
            while not stopping.is_set():
                turn += 1
                seen.append(self.ask(model, stream=turn % 2 == 0))

        with concurrent.futures.ThreadPoolExecutor(callers) as pool:
            running = [pool.submit(ask_on, n) for n in range(callers)]
            time.sleep(seconds)
            meanwhile()
            stopping.set()
            for one in running:
                one.result()
        return seen

    def close(self):
        if self.mortal:
            self.mortal.stop()
        self.world.close()


def good(line):
    return line["status"] == 200 and line["end"] == "completed" and not line["error_event"]


def judge_callers(verdict, what, seen):
    bad = [line for line in seen if not good(line)]
    share = 1 - len(bad) / max(1, len(seen))
    times = [line["seconds"] for line in seen]
    verdict.expect(share >= SUCCESS and len(seen) >= 20, f"{what}: client success",
                   f"{share:.2%} of {len(seen)}, p50 {quantile(times, 0.5):.3f} s, p99 {quantile(times, 0.99):.2f} s"
                   f"{' ' + str(bad[:2]) if bad else ''}")


def one_bad(verdict, fleet, kind):
    """`kind` is asked first, one request after the other, until it is ejected; then all three, under load."""
    retries = fleet.counter("retries_total")
    for _ in range(40):
        if fleet.health(kind)["ejections"]:
            break
        fleet.ask(f"{kind}-first", stream=True)
    health, failed = fleet.health(kind), fleet.counter("retries_total") - retries
    verdict.expect(health["ejections"] == 1 and failed <= EJECTED_AFTER, f"{kind}: failures until it is ejected",
                   f"{failed:.0f}, the last one {health['last_error']}")
    judge_callers(verdict, f"{kind} beside two good ones", fleet.load(f"{kind}-first", 8, 3))


def three_bad(verdict, fleet):
    """Nobody else is there: who does not get the better half's answer has to wait for the late one, within a
    patience that allows for it."""
    fleet.be_patient(8)
    seen = fleet.load("worst", 24, 15)
    judge_callers(verdict, "dead, failing and late, and nobody else", seen)


def killed(verdict, fleet):
    """A good one is killed under load, and comes back without traffic."""
    fleet.mortal, _ = start_mock(fleet.world.build, fleet.folder, fleet.port)

    def kill_it():
        fleet.mortal.child.kill()
        fleet.mortal.child.wait()
        time.sleep(5)

    judge_callers(verdict, "one killed under load", fleet.load("mortality", 8, 1, kill_it))
    away = fleet.health("mortal")
    verdict.expect(away["state"] != "healthy", "the killed one is ejected",
                   f"{away['ejections']} times so far, {away['last_error']}")
    fleet.mortal, _ = start_mock(fleet.world.build, fleet.folder, fleet.port)
    began = time.monotonic()
    while fleet.health("mortal")["state"] != "healthy" and time.monotonic() - began < BACK_SECONDS + 5:
        time.sleep(0.1)
    took = time.monotonic() - began
    verdict.expect(took <= BACK_SECONDS, "restarted, it is readmitted without traffic", f"after {took:.1f} s")
    line = fleet.ask("mortality", stream=True)
    verdict.expect(good(line) and fleet.health("mortal")["recent_requests"] > 0, "and serves again")


def told_to_wait(verdict, fleet):
    """Retry-After closes an endpoint for all, but one now and then looks whether it is true where nobody else is
    left; a refused key is nobody's trouble; full ones are passed over."""
    first, again = (fleet.world.chat("patience") for _ in range(2))
    asked = fleet.health("limited")["recent_requests"]
    wait = int(again[1].get("retry-after", 0))
    verdict.expect((first[0], again[0], asked) == (429, 429, 1) and 1 <= wait <= 20,
                   "429 passes with its Retry-After; the next caller is told so at once",
                   f"{first[0]}, {again[0]}, retry-after {wait}, upstream asked {asked} time")
    time.sleep(1.3)  # the first pause, and its jitter
    later = [fleet.world.chat("patience")[0] for _ in range(3)]
    asked = fleet.health("limited")["recent_requests"]
    verdict.expect((later, asked) == ([429] * 3, 2), "one of them looks whether it is still so",
                   f"{later}, upstream asked {asked} times")
    lines = [fleet.ask("refused", stream=False) for _ in range(6)]
    health = fleet.health("refusing")
    verdict.expect(all(map(good, lines)) and health["ejections"] <= 1, "a refused key is no caller's trouble",
                   f"{health['state']}, {health['last_error']}")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        busy = pool.submit(fleet.ask, "narrow", False)
        time.sleep(0.3)
        second = fleet.world.chat("narrow")
        verdict.expect(second[0] == 503 and second[1].get("retry-after") == "1" and good(busy.result()),
                       "max_inflight is kept", f"{second[0]}, retry-after {second[1].get('retry-after')}")


def hedged(verdict, fleet):
    """The first is asked, is slow, and the second answers first."""
    lines = [fleet.ask("hedged", stream=n % 2 == 0) for n in range(20)]
    quick = sum(line["seconds"] < 2 for line in lines)
    won, refused = fleet.counter("hedges_total", "won"), fleet.counter("hedges_total", "refused")
    verdict.expect(all(map(good, lines)) and quick >= won >= 5, "hedged requests are answered by the second one",
                   f"{quick} of {len(lines)} within 2 s, {won:.0f} hedges won, {refused:.0f} refused")


def hollow(verdict, fleet):
    """An answer in which nothing is said, or that does not come, is another endpoint's to give."""
    for model, stream in (("hollow-stream", True), ("hollow-whole", False), ("mute", False)):
        line = fleet.ask(model, stream)
        verdict.expect(good(line) and line["seconds"] < WHOLE_SECONDS + 3, f"{model}: the next one answers",
                       f"{line['end']} after {line['seconds']:.1f} s")


def furnish(fleet):
    fleet.folder = fleet.world.folder / "mortal"
    fleet.folder.mkdir()
    fleet.port = port_for_restarts()
    good_one = fleet.world.upstream
    for name in ("good-1", "good-2"):
        fleet.endpoint(name, good_one, GOOD)
    for name, url, script in (("dead", DEAD, GOOD), ("half", good_one, HALF), ("late", good_one, LATE),
                              ("limited", good_one, "mock-status-429:retry-after=20"),
                              ("refusing", good_one, "mock-status-401"),
                              ("worst-dead", DEAD, GOOD), ("worst-half", good_one, HALF),
                              ("worst-late", good_one, LATE),
                              ("mortal", f"http://127.0.0.1:{fleet.port}/v1", GOOD)):
        fleet.endpoint(name, url, script, priority=5 if name in ("dead", "half", "late", "mortal", "refusing") else 0)
    fleet.endpoint("one-at-a-time", good_one, "mock-ok:tokens=6,delay_ms=1500", max_inflight=1)
    fleet.endpoint("slow", good_one, "mock-ok:tokens=6,delay_ms=4000", priority=5)
    for name, script in (("no-words", "mock-no-finish:tokens=0"), ("no-answers", "mock-no-answers"),
                         ("no-answer", "mock-no-answer")):
        fleet.endpoint(name, good_one, script, priority=5)
    fleet.model("hollow-stream", ["no-words", "good-1"])
    fleet.model("hollow-whole", ["no-answers", "good-1"])
    fleet.model("mute", ["no-answer", "good-1"])
    for kind in ("dead", "half", "late"):
        fleet.model(f"{kind}-first", [kind, "good-1", "good-2"])
    fleet.model("worst", ["worst-dead", "worst-half", "worst-late"])
    fleet.model("mortality", ["mortal", "good-1", "good-2"])
    fleet.model("patience", ["limited"])
    fleet.model("refused", ["refusing", "good-1"])
    fleet.model("narrow", ["one-at-a-time"])
    fleet.model("hedged", ["slow", "good-1"], hedge_after_ms=200, hedge_max_percent=50)


def failover(options, verdict):
    """Quality of failover."""
    fleet = Fleet(options.build)
    world = fleet.world
    try:
        furnish(fleet)
        for kind in ("dead", "half", "late"):
            one_bad(verdict, fleet, kind)
        three_bad(verdict, fleet)
        killed(verdict, fleet)
        told_to_wait(verdict, fleet)
        hedged(verdict, fleet)
        hollow(verdict, fleet)
        verdict.note("retries", f"{fleet.counter('retries_total'):.0f} of {len(fleet.journal)} requests, "
                     f"{fleet.counter('retries_total', 'refused'):.0f} refused")
        world.end(verdict)
        with (world.folder / "mock.jsonl").open("a") as out:
            out.write((fleet.folder / "mock.jsonl").read_text())
        truth, rows = mock_truth(world), usage_rows(world)
        judge_requests(verdict, fleet.journal, rows, truth)
        judge_rows(verdict, rows, truth)
        judge_sums(verdict, world.store)
        judge_books(verdict, world, fleet.journal, truth)
    finally:
        fleet.close()


if __name__ == "__main__":
    raise SystemExit(main(failover, lambda parser: None))
