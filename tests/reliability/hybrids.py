#!/usr/bin/env python3
"""Hybrid models: held by the dearest child and charged by the one that answers, refused when no child has a price, whole
when a child dies, hidden from everybody but their owner, and named even in rows that a crash settled."""

import json
import time
from decimal import Decimal

from callers import CALLERS, understand
from judge import short
from unbroken import Breaker
from who_pays import Open, words
from world import World, main, start_mock

CHEAP = [{"input_price": "2", "output_price": "8"}]
DEAR = [{"input_price": "200", "output_price": "800"}]
SHORT = "mock-ok:tokens=5"
LONG = "mock-ok:tokens=400,chunk_ms=20"
WORDS = 6
SEEN_SECONDS = 10  # until a credit must count
PROGRESS_SECONDS = 2  # how often a stream's progress is recorded


def give(world, amount, why):
    world.admin("admin/users/1/wallet/adjustments", {"amount_yuan": amount, "reason": why, "reference": why})


def model(world, name, script, price, upstream=None, **more):
    endpoint = world.admin("admin/endpoints", {
        "name": name, "provider_type": "openai", "endpoint": upstream or world.upstream,
        "api_key": world.secrets["upstream key"], "upstream_model": script, **more})["id"]
    world.admin("admin/models", {"model_name": name, "vendor_type": "provider", "endpoint_ids": [endpoint],
                                 "pricing_tiers": price})


def hybrid(world, name, *children):
    """The first is asked first."""
    world.admin("admin/models", {"model_name": name, "vendor_type": "hybrid", "child_models": children,
                                 "routing_policy": f"default_targets: [{children[0]}]\n"})


def row_of(world, request_id):
    """(outcome, served_model, attempts, prompt, completion, charged), once it is there."""
    columns = "outcome, served_model, attempts, prompt_tokens, completion_tokens, charged"
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for row in world.store.rows(f"SELECT LOWER(HEX(request_id)), {columns} FROM usage_records"):
            if row[0] == short(request_id):
                return row[1:]
        time.sleep(0.05)
    return None


def money(verdict, world):
    """The dearest child may answer, so that is held; the cheap one answers, so that is paid."""
    give(world, "0.1", "little")
    alone = world.chat("cheap", max_tokens=1000)
    verdict.expect(alone[0] == 200, "the cheap child alone can be paid", alone[0])
    poor = world.chat("both", max_tokens=1000)
    verdict.expect(poor[0] == 429 and json.loads(poor[2])["error"]["code"] == "insufficient_quota",
                   "a hybrid whose dearest child cannot be paid is refused", (poor[0], poor[2][:90]))
    give(world, "10", "more")
    began = time.monotonic()
    while (rich := world.chat("both", max_tokens=1000))[0] != 200 and time.monotonic() - began < SEEN_SECONDS:
        time.sleep(0.05)
    verdict.note("a credit counts after", f"{time.monotonic() - began:.1f} s")
    row = row_of(world, rich[1]["x-request-id"])
    cost = (Decimal(2) * 2 + Decimal(5) * 8) / 10**6
    said = (rich[0], rich[1].get("x-deeppool-backend"), rich[1].get("x-deeppool-route-target"))
    verdict.expect(said == (200, "hybrid", "cheap") and Decimal(rich[1]["x-deeppool-cost"]) == cost
                   and row[:2] == ("completed", "cheap") and int(row[5]) == int(cost * 10**10),
                   "and charged by the child that answers", (said, rich[1].get("x-deeppool-cost"), row))
    for caller in CALLERS.values():
        status, _, body = world.ask(caller, "unpriced")
        told = understand(caller, status, body, False)
        verdict.expect(status == caller.status(503) and told.kind == "fails" and b"none of its models has a valid price" in body,
                       f"{caller.name}: one without any price says so", f"{status} {body[:140]}")


def dying_child(verdict, world):
    """Requests that were to go to a child that dies are answered by the other."""
    folder = world.folder / "mortal"
    folder.mkdir()
    mock, upstream = start_mock(world.build, folder)
    try:
        model(world, "mortal", SHORT, CHEAP, upstream)
        hybrid(world, "survivor", "mortal", "cheap")
        before = world.chat("survivor")
        verdict.expect((before[0], before[1].get("x-deeppool-route-target")) == (200, "mortal"), "the first child answers")
    finally:
        mock.child.kill()
        mock.child.wait()
    seen = []
    for caller in CALLERS.values():
        for stream in (True, False) * 4:
            status, headers, body = world.ask(caller, "survivor", stream=stream)
            told = understand(caller, status, body, stream)
            seen.append((status, told.kind, told.text, headers.get("x-deeppool-route-target"), headers["x-request-id"]))
    wrong = [s for s in seen if s[:4] != (200, "complete", "w1 w2 w3 w4 w5", "cheap")]
    verdict.expect(not wrong, f"after its death all of {len(seen)} requests are answered by the other", wrong[:2] or "")
    rows = [row_of(world, s[4]) for s in seen]
    bad = [r for r in rows if not r or r[:2] != ("completed", "cheap")]
    verdict.expect(not bad, "and say so in their rows", bad[:2] or f"attempts {[int(r[2]) for r in rows]}")


def broken_child(verdict, world):
    """Who leaves while a dear child is asked to go on pays for what the cheap one said, by its price."""
    breaker = Breaker(world.upstream)
    breaker.events = WORDS
    try:
        model(world, "breaks", LONG, CHEAP, breaker.url)
        model(world, "silent", "mock-no-answer", DEAR, prefix_continuation=True)
        hybrid(world, "interrupted", "breaks", "silent")
        stream = Open(world, CALLERS["chat"], "interrupted").head()
        said = b""
        while words(said) < WORDS - 1:
            said += stream.answer.read1(4096)
        time.sleep(0.5)  # the other is being asked
        stream.leave()
    finally:
        breaker.close()
    row = row_of(world, stream.id)
    prompt, completion, charged = map(int, row[3:]) if row else (0, 0, 0)
    verdict.expect(row and row[:3] == ("client_aborted", "breaks", "2") and completion > 0
                   and charged == (prompt * 2 + completion * 8) * 10**4,
                   "a child that could not go on is not paid for", row)


def others(verdict, world):
    """To anybody else a user's model is as one that is not there."""
    mine = world.admin("custom-models", {"name": "mine", "child_models": ["cheap", "dear"]})["model_name"]
    missing = mine.replace("mine", "none")
    password = world.secrets["password"]
    world.admin("users/register", {"username": "bob", "password": password, "email": "bob@example.com", "phone": "1"})
    admins = world.secrets["session"]
    world.secrets["session"] = world.admin("users/login", {"username": "bob", "password": password})["token"]
    bob = world.admin("apikeys", {"name": "bob's"})["full_key"]
    world.secrets["session"] = admins
    for caller in CALLERS.values():
        own, _, _ = world.ask(caller, mine)
        theirs, none = (world.ask(caller, name, key=bob) for name in (mine, missing))
        alike = [answer[2].replace(answer[1]["x-request-id"].encode(), b"").replace(name.encode(), b"")
                 for answer, name in ((theirs, mine), (none, missing))]
        verdict.expect((own, theirs[0], none[0]) == (200, 404, 404) and alike[0] == alike[1],
                       f"{caller.name}: somebody else's model is as a missing one", (own, theirs[0], none[0]))
    as_bob = {"Authorization": f"Bearer {bob}"}
    listed = json.loads(world.call("GET", "/v1/models", headers=as_bob)[2])["data"]
    shown = world.call("GET", f"/v1/models/{mine}", headers=as_bob)[0]
    verdict.expect(mine not in [m["id"] for m in listed] and shown == 404, "and is in no list", shown)


def crash(verdict, world):
    """A stream that the gateway died in still says who was answering."""
    stream = Open(world, CALLERS["chat"], "long").head()
    stream.read_seconds(PROGRESS_SECONDS + 1)
    world.kill()
    world.start()
    row = row_of(world, stream.id)
    verdict.expect(row and row[:2] == ("crash_settled", "talks") and int(row[4]) > 0,
                   "a crash-settled row names the child", row)


def hybrids(options, verdict):
    """Hybrid models in the real program."""
    world = World(options.build, [])
    try:
        world.start()
        for name, script, price in (("cheap", SHORT, CHEAP), ("dear", SHORT, DEAR), ("talks", LONG, CHEAP),
                                    ("no price", SHORT, None), ("none either", SHORT, None)):
            model(world, name, script, price)
        hybrid(world, "both", "cheap", "dear")
        hybrid(world, "unpriced", "no price", "none either")
        hybrid(world, "long", "talks", "cheap")
        money(verdict, world)
        dying_child(verdict, world)
        broken_child(verdict, world)
        others(verdict, world)
        crash(verdict, world)
        world.end(verdict)
    finally:
        world.close()


if __name__ == "__main__":
    raise SystemExit(main(hybrids, lambda parser: None))
