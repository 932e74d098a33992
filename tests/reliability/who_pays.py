#!/usr/bin/env python3
"""Every row of docs/who_pays.md: what the caller pays for each way in which a request can end, by the answer
and by the usage row, to the last unit; in any caller's protocol, over upstreams of any dialect."""

import http.client
import json
import re
import socket
import time
from decimal import Decimal
from pathlib import Path

from callers import CALLERS, understand
from judge import mock_truth, short
from world import World, base_url, main, public

TIERS = [{"input_price": "2", "output_price": "8.0000000001"}]
DEARER = [{"input_price": "200", "output_price": "800"}]
WHOLE = "mock-ok:tokens=5"
STREAM = "mock-ok:tokens=150,chunk_ms=20"
SHORT_STREAM = "mock-ok:tokens=20,chunk_ms=20"
NO_USAGE = "mock-no-usage:tokens=400,chunk_ms=20"
FIRST_LATE = "mock-slow-first"
ENDLESS = "mock-ok:tokens=3000"
CUT = "mock-cut:after=2"
FAILING = ["mock-status-400", "mock-status-429", "mock-status-500", "mock-close"]
SILENT = "mock-no-answer"
FREE = "mock-ok:tokens=6"
UNPRICED = "mock-ok:tokens=7"
DEAD = "http://127.0.0.1:1/v1"
ROOM = 4096  # max_tokens of callers that have to say one, where an answer is long
DISCOUNT = 200_000  # ppm
BALANCE = "0.005"
PROGRESS_SECONDS = 2  # how often a stream's progress is recorded
DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs/who_pays.md"


def units(prompt, completion, granted=0, discount_ppm=0):
    """By TIERS, rounded once, half up, in units of 10^-10 yuan."""
    total = prompt + completion
    gross = prompt * 20_000_000_000 + completion * 80_000_000_001
    over, under = gross * max(total - granted, 0) * (10**6 - discount_ppm), max(total, 1) * 10**12
    return (2 * over + under) // (2 * under)


def yuan(amount):
    return f"{Decimal(amount) / 10**10:f}"


class Books:
    """The usage rows, by request."""

    def __init__(self, world):
        names = ("outcome", "prompt_tokens", "completion_tokens", "attempts", "price_id", "charged", "usage_source")
        rows = world.store.rows(f"SELECT LOWER(HEX(request_id)), {', '.join(names)} FROM usage_records")
        self.rows = {row[0]: dict(zip(names, row[1:])) for row in rows}
        for row in self.rows.values():
            row["price_id"] = row["price_id"].replace("NULL", "")  # as MariaDB's client spells it
            charged = Decimal(row["charged"])
            row["charged"] = int(charged if world.store.name == "sqlite" else charged * 10**10)
            row["tokens"] = int(row["prompt_tokens"]), int(row["completion_tokens"])

    def of(self, request_id):
        return self.rows.get(short(request_id))


class Open:
    """A stream that its caller reads piece by piece, and may leave."""

    def __init__(self, world, caller, model, key=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=20)
        self.caller = caller
        body = caller.body(public(model), True, prompt="Go on.", **room_of(caller))
        headers = {k: v for k, v in caller.headers(key or world.key).items() if v}
        self.connection.request("POST", caller.path, json.dumps(body), {**headers, "Content-Type": "application/json"})

    def head(self):
        self.answer = self.connection.getresponse()
        self.id, self.status = self.answer.getheader("x-request-id"), self.answer.status
        return self

    def told(self):
        """(what a client understands of all of it, the bytes)"""
        body = self.answer.read()
        return understand(self.caller, self.status, body, True), body

    def read_seconds(self, seconds):
        seen, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            seen += self.answer.read1(4096)
        return seen

    def rest(self):
        return self.answer.read()

    def leave(self):
        if self.connection.sock:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


def room_of(caller):
    """Nothing where callers need not say how long an answer may be: then it is held for piece by piece."""
    return {"max_tokens": ROOM} if caller.name == "messages" else {}


def words(body):
    return len(re.findall(rb'"(?:content|text|delta)":" ?w\d+"', body))


def cost_in(body):
    """The text of the last usage.cost in an answer: as JSON text, not as a float."""
    found = re.findall(rb'"cost":([^,}]+)', body)
    return found[-1].decode() if found else None


def stored(world, amount):
    """So many yuan as the store writes them."""
    return int(Decimal(amount) * 10**10) if world.store.name == "sqlite" else amount


def overdraw(world, amount):
    """Lets the owner of the key spend so many yuan without having any."""
    world.store.run("DELETE FROM user_wallets WHERE user_id = 1; INSERT INTO user_wallets (user_id, allow_overdraft,"
                    f" max_overdraft, updated_at) VALUES (1, 1, {stored(world, amount)}, 0);")


def lower_floor(world, amount):
    """From what the wallet has now on, its owner may spend so many yuan more."""
    world.store.run(f"UPDATE user_wallets SET max_overdraft = {stored(world, amount)} - posted WHERE user_id = 1;")


def wallet(world):
    """What it has above its floor, and whether that is the sum of its ledger."""
    posted, most = world.store.rows("SELECT posted, max_overdraft FROM user_wallets WHERE user_id = 1")[0]
    entries = world.store.rows("SELECT COALESCE(SUM(amount), 0) FROM ledger_journal WHERE user_id = 1")[0][0]
    return Decimal(posted) + Decimal(most), Decimal(posted) == Decimal(entries)


def expect_bill(verdict, what, row, outcome, charged):
    told = row and (row["outcome"], row["charged"])
    verdict.expect(told == (outcome, charged), what, f"{told}, wanted {(outcome, charged)}" if
                   told != (outcome, charged) else f"{outcome}, {yuan(charged)} yuan")


class Requests:
    """Makes every kind of request; what must be in the books is checked when they are closed."""

    def __init__(self, world, caller, verdict):
        self.world, self.caller, self.verdict = world, caller, verdict
        self.free, self.refused, self.paid = {}, {}, {}  # what happened -> request id
        self.failover, self.repriced = None, None

    def open(self, model, key=None):
        return Open(self.world, self.caller, model, key)

    def answered(self):
        for what, model, price in (("a whole answer", WHOLE, units), ("a free model", FREE, lambda p, c: 0)):
            status, headers, body = self.world.ask(self.caller, model)
            cost = yuan(price(*understand(self.caller, status, body, False).tokens))
            said = (status, headers.get("x-deeppool-cost"), cost_in(body))
            self.verdict.expect(said == (200, cost, cost), f"{what} says what it costs", said)
            self.paid[what] = headers["x-request-id"]
        stream = self.open(SHORT_STREAM).head()
        cost = cost_in(stream.rest())
        self.verdict.expect(cost is not None and Decimal(cost) > 0, "so does the usage chunk of a stream", cost)
        self.paid["a whole stream"] = stream.id

    def refuse(self):
        bad = {"Authorization": "Bearer dp-" + "x" * 43, "x-api-key": None}
        poor = self.world.admin("apikeys", {"name": "poor", "quota_total": 1})["full_key"]
        ask = self.caller.body(public(WHOLE), False)
        limit = {"messages": "max_tokens", "responses": "max_output_tokens"}.get(self.caller.name, "max_tokens")
        ask.pop(limit, None)
        endless = json.dumps(ask)[:-1] + f',"{limit}":1e300}}'
        ask |= {"max_tokens": 24} if self.caller.name == "messages" else {}
        rows = [("a bad key", ask, bad, 401),
                ("a spent quota", ask, self.caller.headers(poor), 402 if self.caller.name == "messages" else 429),
                ("an unknown model", {**ask, "model": "none"}, {}, 404),
                ("a model without a price", {**ask, "model": public(UNPRICED)}, {}, self.caller.status(503)),
                ("a negative limit", {**ask, limit: -5}, {}, 400),
                ("an endless limit", endless, {}, 400)]
        if self.caller.name == "chat":
            rows.append(("a wrapping n", json.dumps({**ask, "n": 18446744073686646784}), {}, 400))
        for what, body, headers, wanted in rows:
            status, answer, _ = self.world.call("POST", self.caller.path, body,
                                                {**self.caller.headers(self.world.key), **headers})
            self.verdict.expect(status == wanted, f"{what} is refused", status)
            self.refused[what] = answer["x-request-id"]

    def fail(self):
        for model in FAILING:
            for stream in (False, True):
                status, headers, _ = self.world.ask(self.caller, model, stream=stream)
                self.verdict.expect(status >= 400 and "x-deeppool-cost" not in headers,
                                    f"{model} fails {'streamed' if stream else 'whole'}", status)
                self.free[f"{model} {stream}"] = headers["x-request-id"]
        for model in ("unreachable", SILENT):
            status, headers, _ = self.world.ask(self.caller, model, stream=True)
            self.verdict.expect(status in (502, 503, 504, 529), f"{model} fails", status)
            self.free[model] = headers["x-request-id"]

    def fail_over(self):
        status, headers, body = self.world.ask(self.caller, "two")
        self.verdict.expect((status, cost_in(body)) == (200, headers.get("x-deeppool-cost")),
                            "the second endpoint answers", cost_in(body))
        self.failover = headers["x-request-id"]

    def break_and_leave(self):
        cut = self.open(CUT).head()
        told, _ = cut.told()
        self.verdict.expect(told.kind == "breaks", "a stream breaks off with an error event", told.kind)
        self.broken = cut.id
        self.left = {}
        for model in (STREAM, NO_USAGE):
            stream = self.open(model).head()
            seen = words(stream.read_seconds(0.5))
            stream.leave()
            self.left[model] = (stream.id, seen)
        early = self.open(FIRST_LATE)
        time.sleep(0.2)
        early.leave()

    def end_at_limit(self):
        key = self.world.admin("apikeys", {"name": "short", "quota_total": 900})["full_key"]
        stream = self.open(ENDLESS, key).head()
        told, body = stream.told()
        self.limited = None
        if room_of(self.caller):  # what it may take is held before it begins
            self.verdict.expect(stream.status == 402, "a stream that the quota may not cover is refused", stream.status)
            self.refused["such a stream"] = stream.id
            return
        self.verdict.expect((told.kind, told.finish) == ("complete", self.caller.finishes["length"]),
                            "a stream ends where its quota does", f"{words(body)} words, {told.kind}, {told.finish}")
        self.limited = (stream.id, cost_in(body))

    def reprice(self, model_ids):
        """A price that is raised while a stream runs is for later requests."""
        stream = self.open(STREAM).head()
        stream.read_seconds(0.2)
        status, _, body = self.world.call("PATCH", f"/api/v1/admin/models/{model_ids[public(STREAM)]}",
                                          {"pricing_tiers": DEARER},
                                          {"Authorization": f"Bearer {self.world.secrets['session']}"})
        stream.rest()
        self.verdict.expect(status == 200, "its price is raised while a stream runs", body if status != 200 else "")
        self.repriced = stream.id

    def crash(self):
        old = self.open(NO_USAGE).head()
        old.read_seconds(PROGRESS_SECONDS + 1)
        young = self.open(NO_USAGE).head()
        young.read_seconds(0.3)
        self.world.kill()
        self.crashed = (old.id, young.id)


def judge(verdict, world, asked):
    books, truth = Books(world), mock_truth(world)
    for what, request in asked.refused.items():
        verdict.expect(books.of(request) is None, f"{what} has no row", books.of(request) or "")
    for what, request in asked.free.items():
        expect_bill(verdict, what, books.of(request), "failed_before_first_byte", 0)
    for what, request in asked.paid.items():
        row = books.of(request)
        expect_bill(verdict, what, row, "completed", 0 if what == "a free model" else units(*row["tokens"]))
    row = books.of(asked.failover)
    expect_bill(verdict, "only the attempt that answered", row, "completed", units(*row["tokens"]))
    verdict.expect(row["attempts"] == "2", "and both are counted", row["attempts"])
    expect_bill(verdict, "a stream that its provider broke off", books.of(asked.broken), "broke_midstream", 0)
    for model, (request, seen) in asked.left.items():
        row = books.of(request)
        sent = max(r["completion_tokens"] for r in truth[short(request)])
        expect_bill(verdict, f"a caller who left {model}", row, "client_aborted", units(*row["tokens"]))
        # Our tokenizer may make two tokens of one word of the mock.
        verdict.expect(seen <= row["tokens"][1] <= 2 * sent + 2, "pays for what was generated",
                       f"{seen} seen, {row['tokens'][1]} paid, {sent} sent")
    early = [r for r in books.rows.values() if r["outcome"] == "client_aborted" and r["tokens"] == (0, 0)]
    verdict.expect(len(early) == 1 and early[0]["charged"] == 0, "a caller who left before the first byte pays nothing")
    if asked.limited:
        row = books.of(asked.limited[0])
        expect_bill(verdict, "a stream that reached its limit", row, "stopped_at_limit", units(*row["tokens"]))
        verdict.expect(asked.limited[1] == yuan(row["charged"]), "and said so", asked.limited[1])
    row = books.of(asked.repriced)
    expect_bill(verdict, "the price that it began with", row, "completed", units(*row["tokens"]))
    old, young = map(books.of, asked.crashed)
    expect_bill(verdict, "a stream that the gateway died in, after its last progress", old, "crash_settled",
                units(*old["tokens"]) if old else None)
    verdict.expect(old and old["tokens"][1] > 0, "pays that progress", old and old["tokens"])
    expect_bill(verdict, "a stream that the gateway died in before any", young, "crash_settled", 0)
    unpriced = [r for r in books.rows.values() if r["charged"] and not r["price_id"]]
    verdict.expect(not unpriced, "every charge names its price", unpriced[:2])
    judge_snapshots(verdict, world, books)


def judge_snapshots(verdict, world, books):
    kept = {row[0]: json.loads(row[1]) for row in world.store.rows("SELECT id, tiers FROM price_snapshots")}
    missing = {r["price_id"] for r in books.rows.values() if r["price_id"]} - set(kept)
    verdict.expect(not missing, "and every price is kept", missing or f"{len(kept)} price lists")


def spend_grants(world, caller, verdict):
    """Ten free tokens, then a fifth off: two answers of seven tokens."""
    world.store.run("INSERT INTO token_grants (user_id, tokens_total, created_at) VALUES (1, 10, 0);"
                    f"INSERT INTO discounts (user_id, discount_ppm, starts_at, created_at) VALUES (1, {DISCOUNT}, 0, 0);")
    world.start()
    for granted in (7, 3):
        status, headers, body = world.ask(caller, WHOLE)
        wanted = yuan(units(2, 5, granted, DISCOUNT))
        said = (status, headers.get("x-deeppool-cost"), cost_in(body))
        verdict.expect(said == (200, wanted, wanted), f"{granted} of 7 tokens are granted", said)
    world.stop()
    used = world.store.rows("SELECT tokens_used FROM token_grants")
    verdict.expect(used == [("10",)], "the grant is used up, and no more", used)


def spend_balance(world, caller, verdict):
    """A stream that its owner cannot pay to the end."""
    lower_floor(world, BALANCE)
    world.start()
    stream = Open(world, caller, ENDLESS).head()
    told, body = stream.told()
    cost = Decimal(cost_in(body) or -1)
    if room_of(caller):
        verdict.expect(stream.status == 402, "a stream that the balance may not cover is refused", stream.status)
    else:
        verdict.expect((told.kind, told.finish) == ("complete", caller.finishes["length"]) and 0 < cost <= Decimal(BALANCE),
                       "a stream ends where the balance does", cost)
        status, headers, _ = world.ask(caller, WHOLE, max_tokens=2000)
        verdict.expect((status, headers.get("x-should-retry")) == (429, "false"), "the next request is refused", status)
    world.stop()
    row = Books(world).of(stream.id)
    if room_of(caller):
        verdict.expect(row is None, "and has no row", row or "")
    else:
        expect_bill(verdict, "what was generated", row, "stopped_at_limit", units(*row["tokens"], 0, DISCOUNT))
        verdict.expect(Decimal(yuan(row["charged"])) == cost, "and so the caller was told")
    left, exact = wallet(world)
    verdict.expect(left >= 0 and exact, "the wallet is the sum of its ledger and above its floor", left)


def judge_document(verdict):
    """Every outcome that the program may write has its line."""
    text = DOCUMENT.read_text()
    named = set(re.findall(r"`(completed|client_aborted|failed_before_first_byte|broke_midstream|stopped_at_limit"
                           r"|crash_settled)`", text))
    verdict.expect(len(named) == 6, "docs/who_pays.md names every outcome", sorted(named))


def who_pays(options, verdict):
    """The table of who pays."""
    models = [WHOLE, STREAM, SHORT_STREAM, NO_USAGE, FIRST_LATE, ENDLESS, CUT, *FAILING, SILENT, FREE, UNPRICED]
    prices = {m: TIERS for m in models} | {FREE: [], UNPRICED: None}
    world = World(options.build, models, store=options.database, prices=prices, dialect=options.dialect)
    caller = CALLERS[options.caller]
    try:
        overdraw(world, 1000)
        world.start()
        ids = {}
        here = base_url(world.upstream, options.dialect)
        for name, bases in (("unreachable", {"a": DEAD}), ("two", {"mock-status-500": here, "mock-ok:tokens=9": here})):
            made = [world.admin("admin/endpoints", {
                "name": f"{name} {model}", "provider_type": options.dialect, "endpoint": base, "upstream_model": model,
                "api_key": "sk-two", "priority": len(bases) - place})["id"]
                for place, (model, base) in enumerate(bases.items())]
            world.admin("admin/models", {"model_name": name, "endpoint_ids": made, "pricing_tiers": TIERS})
        listed = world.call("GET", "/api/v1/admin/models?page_size=100", None,
                            {"Authorization": f"Bearer {world.secrets['session']}"})[2]
        ids = {m["model_name"]: m["id"] for m in json.loads(listed)["data"]["items"]}
        asked = Requests(world, caller, verdict)
        asked.answered()
        asked.refuse()
        asked.fail()
        asked.fail_over()
        asked.break_and_leave()
        asked.end_at_limit()
        asked.reprice(ids)
        asked.crash()
        world.start()
        world.stop()
        judge(verdict, world, asked)
        spend_grants(world, caller, verdict)
        spend_balance(world, caller, verdict)
        judge_document(verdict)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--dialect", default="openai", help="of the upstreams: openai, anthropic, gemini")
    parser.add_argument("--caller", default="chat", choices=CALLERS)


if __name__ == "__main__":
    raise SystemExit(main(who_pays, describe))
