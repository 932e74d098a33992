#!/usr/bin/env python3
"""Streams that break off behind their first byte: at every event and in every way, the caller sees one well-formed
stream of its protocol, its text equals the whole, and there is one bill, as if nothing had happened."""

import socket
import struct
import threading
import time
from decimal import Decimal

from callers import CALLERS, understand
from judge import short
from who_pays import overdraw
from world import World, base_url, main

WORDS = 12
ANSWER = f"mock-ok:tokens={WORDS}"
REASONING = f"mock-reasoning:tokens={WORDS}"
TOOLS = "mock-tool-calls"
TIERS = [{"input_price": "2", "output_price": "8"}]
WAYS = ("close", "reset", "silence", "error event", "garbage", "half an event")
ERRORS = {
    "openai": b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n',
    "anthropic": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
    "gemini": b'data: {"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}\n\n',
}
# Events of an answer around its words, and the number of the one with the finish reason.
AROUND = {"openai": (4, WORDS + 1), "anthropic": (6, WORDS + 4), "gemini": (1, WORDS)}
IDLE_SECONDS = 2  # of the world's program
# How callers say that an answer can be told again, word by word.
REPEATABLE = {"temperature": 0}
BROKEN = {"chat": ("upstream_error", "upstream_error"), "messages": ("api_error", "api_error"),
          "responses": ("upstream_error", "upstream_error")}


class Breaker:
    """A proxy before the mock that lets `events` events of each streamed answer pass and then breaks it."""

    def __init__(self, upstream):
        host, port = upstream.removeprefix("http://").removesuffix("/v1").split(":")
        self.target = host, int(port)
        self.dialect, self.events, self.way = "openai", 0, "close"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller):
        with caller, socket.create_connection(self.target) as upstream:
            caller.settimeout(10)
            upstream.settimeout(10)
            try:
                upstream.sendall(self._request(caller))
                self._answer(caller, upstream)
            except OSError:
                pass

    @staticmethod
    def _request(caller):
        data = b""
        while b"\r\n\r\n" not in data:
            data += caller.recv(65536)
        head, body = data.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += caller.recv(65536)
        return head + b"\r\n\r\n" + body

    def _answer(self, caller, upstream):
        # Each event of the mock is one chunk; the head comes first.
        stream = upstream.makefile("rb")
        while (line := stream.readline()) != b"\r\n":
            caller.sendall(line)
        caller.sendall(b"\r\n")
        for _ in range(self.events):
            caller.sendall(self._chunk(stream))
        self._break(caller, self._chunk(stream))

    @staticmethod
    def _chunk(stream):
        size = stream.readline()
        return size + stream.read(int(size, 16) + 2)

    def _break(self, caller, following):
        if self.way == "reset":
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self.way == "silence":
            time.sleep(IDLE_SECONDS + 3)
        elif self.way == "half an event":
            caller.sendall(following[:len(following) // 2])
        elif self.way in ("error event", "garbage"):
            event = ERRORS[self.dialect] if self.way == "error event" else b"data: {what?\n\n"
            caller.sendall(f"{len(event):x}\r\n".encode() + event + b"\r\n")

    def close(self):
        self.listener.close()


class Seen:
    """One stream, as its caller saw it."""

    def __init__(self, world, caller, model, **more):
        self.status, headers, body = world.ask(caller, model, timeout=30, stream=True, prompt="tell me", **more)
        self.request_id = headers["x-request-id"]
        self.told = understand(caller, self.status, body, True)
        self.text, self.reasoning, self.kind = self.told.text, self.told.reasoning, self.told.kind
        self.ended_well = self.kind == "complete" and self.told.finish == caller.finishes["stop"]
        self.cut_short = self.kind == "complete" and self.told.finish == caller.finishes["length"]

    def one_whole(self, whole):
        return self.ended_well and self.text == whole


def set_up(world, breaker):
    """`m` breaks at its first endpoint and goes on at its second, with the same words."""
    def endpoint(name, url, script, dialect="openai", **more):
        return world.admin("admin/endpoints", {
            "name": name, "provider_type": dialect, "endpoint": base_url(url, dialect), "api_key": "k",
            "upstream_model": script, **more})["id"]

    def model(name, ids):
        world.admin("admin/models", {"model_name": name, "vendor_type": "provider", "endpoint_ids": ids,
                                     "pricing_tiers": TIERS})

    for name, script in (("words", ANSWER), ("reasoning", REASONING), ("tools", TOOLS)):
        first = endpoint(f"{name} breaks", breaker.url, script, priority=1)
        model(name, [first, endpoint(f"{name} works", world.upstream, script)])
        model(f"{name}-prefix", [first, endpoint(f"{name} goes on", world.upstream, script,
                                                 prefix_continuation=True)])
        model(f"{name}-alone", [endpoint(f"{name} alone", world.upstream, script)])
    # Of other dialects: one alike repeats, one of the house's goes on.
    goes_on = endpoint("goes on", world.upstream, ANSWER, "custom", prefix_continuation=True)
    for dialect in ("anthropic", "gemini"):
        first = endpoint(f"{dialect} breaks", breaker.url, ANSWER, dialect, priority=1)
        model(dialect, [first, endpoint(f"{dialect} works", world.upstream, ANSWER, dialect)])
        model(f"{dialect}-prefix", [first, goes_on])
        model(f"{dialect}-alone", [endpoint(f"{dialect} alone", world.upstream, ANSWER, dialect)])


class Judge:
    """Sees streams break, and afterwards the books."""

    def __init__(self, world, caller, breaker, verdict):
        self.world, self.caller, self.breaker, self.verdict = world, caller, breaker, verdict
        self.breaking = [e["id"] for e in world.admin("admin/endpoints?page_size=100", None, "GET")["items"]
                         if e["name"].endswith(" breaks")]
        self.bills = []  # (stream, the one whose bill it must equal, or None)
        self.free = []

    def tell(self, model, events=0, way="close", **more):
        self.breaker.events, self.breaker.way = events, way
        for endpoint in self.breaking:  # or nobody would be sent there any more
            self.world.admin(f"admin/endpoints/{endpoint}/readmit", {})
        for _ in range(5):  # second asks are a fifth of the first ones
            self.world.chat("words-alone", max_tokens=1)
        return Seen(self.world, self.caller, model, **more)

    def seams(self):
        """Of all streams until now, as the access log has them."""
        return self.world.program.output().count('"seams":')

    def at_every_event(self, model, whole, how, dialect="openai", **more):
        """`whole` is the answer unbroken."""
        self.breaker.dialect = dialect
        around, finish = AROUND[dialect]
        events = WORDS + around
        # An error that is said behind the finish reason is an error, however whole the text is.
        faults = [(k, way) for k in range(events) for way in WAYS
                  if (way != "silence" or k == 3) and (k <= finish or way not in ("error event", "garbage"))]
        bad, before = [], self.seams()
        for k, way in faults:
            seen = self.tell(model, k, way, **more)
            finished = k > finish  # what was lost stands behind the finish reason
            self.bills.append((seen, None if finished or how == "prefix" else whole))
            right = seen.one_whole(whole.text) and whole.reasoning.startswith(seen.reasoning)
            hows = {seam["how"] for seam in seen.told.seams} <= {how, "fresh"}
            if not right or not hows:
                bad.append((k, way, seen.kind, seen.told))
        seams = self.seams() - before
        self.verdict.expect(not bad, f"{model}: one whole stream, wherever and however it breaks ({len(faults)} ways)",
                            bad[:3] or f"{seams} seams")
        self.verdict.expect(seams > len(faults) // 2, f"{model}: most of them had a seam", seams)

    def not_where_nobody_can(self):
        seen = self.tell("words", 5)  # no temperature of 0, no seed: it would tell another answer
        self.verdict.expect(seen.kind == "breaks" and seen.told.error == BROKEN[self.caller.name]
                            and seen.text.endswith("w4"),
                            "an answer that nobody can repeat ends with an error event", (seen.told.error, seen.text))
        self.free.append(seen)
        seen = self.tell("tools", 3, tools=["look"], **REPEATABLE)
        self.verdict.expect(seen.kind == "breaks", "and so does one inside a tool's arguments", seen.told.error)
        self.free.append(seen)

    def limits(self):
        """What was said before a seam counts against the limit."""
        whole = self.tell("words-alone", max_tokens=8)
        seen = self.tell("words-prefix", 5, max_tokens=8)
        # What was said is counted by our tokenizer, which sees more tokens in it than the mock does.
        bounded = whole.text.startswith(seen.text) and len(seen.text) > len("w1 w2 w3 w4")
        self.verdict.expect(bounded and seen.cut_short and whole.cut_short,
                            "the limit bounds both sides together", (seen.text, seen.told.finish))

    def books(self):
        wanted = [seen for seen, _ in self.bills] + self.free
        end = time.monotonic() + 10
        rows = {}
        while len(rows) < len(wanted) and time.monotonic() < end:
            rows = {row[0]: row[1:] for row in self.world.store.rows(
                "SELECT LOWER(HEX(request_id)), prompt_tokens, completion_tokens, charged, outcome FROM usage_records")}
            rows = {seen.request_id: rows[short(seen.request_id)] for seen in wanted if short(seen.request_id) in rows}
        wrong = [(seen.text, rows.get(seen.request_id), as_whole and rows.get(as_whole.request_id))
                 for seen, as_whole in self.bills if not self._right(rows, seen, as_whole)]
        self.verdict.expect(not wrong, f"{len(self.bills)} streams have one bill each, that of the whole answer",
                            wrong[:3])
        paid = [row for seen in self.free if Decimal((row := rows[seen.request_id])[2]) != 0]
        self.verdict.expect(not paid, "what ended with an error is free", paid)

    @staticmethod
    def _right(rows, seen, as_whole):
        row = rows.get(seen.request_id)
        if not row or row[3] != "completed" or Decimal(row[2]) <= 0:
            return False
        return as_whole is None or row == rows[as_whole.request_id]


def unbroken(options, verdict):
    """Streams that break off behind their first byte."""
    world = World(options.build, [], store=options.database)
    breaker = Breaker(world.upstream)
    caller = CALLERS[options.caller]
    try:
        overdraw(world, 100)
        world.start()
        set_up(world, breaker)
        judge = Judge(world, caller, breaker, verdict)
        whole = judge.tell("words-alone", **REPEATABLE)
        verdict.expect(whole.one_whole(" ".join(f"w{i + 1}" for i in range(WORDS))), "an answer unbroken", whole.text)
        thought = judge.tell("reasoning-alone", **REPEATABLE)
        verdict.expect(thought.one_whole(thought.text) and thought.reasoning, "one with reasoning", thought.text)
        judge.bills += [(whole, whole), (thought, thought)]
        judge.at_every_event("words", whole, "repeated", **REPEATABLE)
        judge.at_every_event("words-prefix", whole, "prefix")
        judge.at_every_event("reasoning", thought, "repeated", **({"seed": 7} if caller.name == "chat" else REPEATABLE))
        for dialect in ("anthropic", "gemini"):
            alone = judge.tell(f"{dialect}-alone", **REPEATABLE)
            verdict.expect(alone.one_whole(whole.text), f"an answer of {dialect}, unbroken", alone.text)
            judge.bills.append((alone, alone))
            judge.at_every_event(dialect, alone, "repeated", dialect, **REPEATABLE)
            judge.at_every_event(f"{dialect}-prefix", alone, "prefix", dialect)
        judge.breaker.dialect = "openai"
        judge.limits()
        judge.not_where_nobody_can()
        judge.books()
        world.end(verdict)
    finally:
        breaker.close()
        world.close()


def describe(parser):
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--caller", default="chat", choices=CALLERS)


if __name__ == "__main__":
    raise SystemExit(main(unbroken, describe))
