#!/usr/bin/env python3
"""Callers repeat requests with an Idempotency-Key until they have an answer, while the program is killed at the worst
moments: what is answered twice is the same answer, and nobody pays twice for one key."""

import collections
import contextlib
import http.client
import json
import random
import sqlite3
import time

from judge import judge_leaks
from world import World, main, public

WHOLE = "mock-ok:tokens=7,delay_ms=3"
STREAM = "mock-ok:tokens=9,chunk_ms=2"
LONG = "mock-ok:tokens=400,chunk_ms=20"
SLOW = "mock-ok:tokens=150,chunk_ms=20"
BLOCKED_SECONDS = 14  # more than a write waits for its turn
LEASE_SECONDS = 30  # of a claim that nobody renews
LARGE = "mock-ok:tokens=200000"
BROKEN = "mock-cut:after=2"
POINTS = ("after_hold", "idempotency.before_keep", "idempotency.kept", "after_final", "random")


def ask(world, name, model, stream=False, text="Say it.", timeout=15):
    """(status, headers, body), or None when there was no whole answer."""
    body = {"model": public(model), "stream": stream, "messages": [{"role": "user", "content": text}]}
    try:
        status, headers, answer = world.call("POST", "/v1/chat/completions", body, {"Idempotency-Key": name}, timeout)
    except OSError:
        return None
    if status == 200 and stream and not answer.rstrip().endswith(b"data: [DONE]"):
        return None
    return status, headers, answer


def error_of(answer):
    return json.loads(answer[2])["error"]


def text_of(answer):
    """What was said, whichever way."""
    if not answer[1]["content-type"].startswith("text/event-stream"):
        return json.loads(answer[2])["choices"][0]["message"]["content"]
    events = [line[6:] for line in answer[2].decode().split("\n") if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for event in events
                   for choice in json.loads(event)["choices"])


def plain_rules(world, verdict):
    for model, stream in ((WHOLE, False), (STREAM, True)):
        name = f"plain-{stream}"
        first, second = ask(world, name, model, stream), ask(world, name, model, stream)
        verdict.expect(first[0] == second[0] == 200 and first[2] == second[2]
                       and first[1]["content-type"] == second[1]["content-type"], f"repeated (stream {stream}): the same bytes")
        verdict.expect("x-deeppool-idempotent-replay" not in first[1]
                       and second[1].get("x-deeppool-idempotent-replay") == "true"
                       and second[1]["x-deeppool-original-request-id"] == first[1]["x-request-id"]
                       and all(second[1].get(name) == value for name, value in first[1].items()
                               if name.startswith("x-deeppool-")), "and it says so, with the same headers")
        other = ask(world, name, model, stream, text="Another.")
        verdict.expect(other[0] == 422 and error_of(other)["code"] == "idempotency_key_reused"
                       and other[1]["x-should-retry"] == "false", "another body: 422")
    for name in ("x" * 256, "tab\there", "\u00e9"):
        verdict.expect(ask(world, name.encode().decode("latin-1"), WHOLE)[0] == 400, f"not a name ({len(name)}): 400")
    verdict.expect(ask(world, "y" * 255, WHOLE)[0] == 200, "255 characters are a name")


def special_ends(world, verdict):
    failed = ask(world, "failed", BROKEN, True)
    verdict.expect(failed is None or failed[0] != 409, "a stream that broke is not kept")
    again = ask(world, "failed", BROKEN, True)
    verdict.expect(again is None or "x-deeppool-idempotent-replay" not in again[1], "and may be asked again")
    missing = ask(world, "missing", "no-such-model")
    verdict.expect(missing[0] == 404 and ask(world, "missing", WHOLE)[0] == 200, "a refusal leaves the name free")
    large, repeated = ask(world, "large", LARGE, timeout=60), ask(world, "large", LARGE)
    verdict.expect(large[0] == 200 and len(large[2]) > 1024 * 1024, "a large answer", f"{len(large[2])} bytes")
    verdict.expect(repeated[0] == 409 and repeated[1]["x-should-retry"] == "false", "is not kept: 409, final")


def begin(world, name, model):
    """A stream of which a little was read, and how to leave it."""
    line = http.client.HTTPConnection("127.0.0.1", world.port, timeout=15)
    body = {"model": public(model), "stream": True, "messages": [{"role": "user", "content": "Say it."}]}
    line.request("POST", "/v1/chat/completions", json.dumps(body),
                 {"Authorization": f"Bearer {world.key}", "Content-Type": "application/json", "Idempotency-Key": name})
    answer = line.getresponse()
    answer.read(10)

    def leave():
        line.sock.close()
        answer.close()
        line.close()
    return answer, leave


def while_it_runs(world, verdict):
    _, leave = begin(world, "long", LONG)
    second = ask(world, "long", LONG, True)
    verdict.expect(second[0] == 409 and second[1]["x-should-retry"] == "true" and int(second[1]["retry-after"]) >= 1,
                   "while the first runs: 409, try again")
    leave()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        left = ask(world, "long", LONG, True)
        if left[1].get("x-should-retry") == "false":
            break
        time.sleep(0.1)
    verdict.expect(left[0] == 409 and left[1]["x-should-retry"] == "false", "the caller left a stream: 409, final")


@contextlib.contextmanager
def no_writes(world):
    """The database takes none while this lasts; MariaDB's goes on, which is a case as well."""
    block = sqlite3.connect(world.store.file(), isolation_level=None) if world.store.name == "sqlite" else None
    if block:
        block.execute("BEGIN IMMEDIATE")
    yield
    if block:
        block.execute("COMMIT")
        block.close()


def killed_when_left(world, verdict):
    """The caller left, its bill is on disk, and the program dies: the name is closed all the same."""
    world.stop()
    world.start({"DEEPPOOL_CRASH_AT": "after_final:1"})
    _, leave = begin(world, "left and killed", LONG)
    time.sleep(0.3)
    with no_writes(world):
        leave()
        world.program.child.wait(BLOCKED_SECONDS)
    world.start()
    again = ask(world, "left and killed", LONG, True)
    verdict.expect(again and again[0] == 409 and again[1]["x-should-retry"] == "false",
                   "left, charged and killed: 409, final", again and again[0])


def stored_late(world, verdict):
    """The database takes no writes when the answer is to be kept: it is charged, and so its name stays closed."""
    answer, leave = begin(world, "late", SLOW)
    with no_writes(world):
        answer.read()
        time.sleep(BLOCKED_SECONDS)
    leave()
    deadline = time.monotonic() + LEASE_SECONDS + 10
    while time.monotonic() < deadline:
        again = ask(world, "late", SLOW, True)
        if again and (again[0] == 200 or again[1].get("x-should-retry") == "false"):
            break
        time.sleep(1)
    verdict.expect(again[0] == 409 or again[1].get("x-deeppool-idempotent-replay") == "true",
                   "an answer that was kept late or not at all is not made again", again[0])


def kill_rounds(world, verdict, rounds, seed):
    """Each name is asked for until it is answered, twice; the program dies on the way."""
    dice = random.Random(seed)
    answers = collections.defaultdict(list)
    died = 0
    for number in range(rounds):
        point = dice.choice(POINTS)
        spec = None if point == "random" else f"{point}:{dice.randint(1, 3)}"
        world.stop()
        world.start({"DEEPPOOL_CRASH_AT": spec} if spec else None)
        names = [(f"kill-{number}-{i}", i % 2 == 1) for i in range(4)]
        for name, stream in names:
            if point == "random" and dice.random() < 0.3:
                world.kill()
            for _ in range(200):
                if world.program.child.poll() is not None:
                    died += 1
                    world.start()
                got = ask(world, name, STREAM if stream else WHOLE, stream)
                if got and got[0] == 200:
                    answers[name].append(text_of(got))
                    if len(answers[name]) == 2:
                        break
                elif got and got[0] != 409:
                    verdict.expect(False, f"{name}: {got[0]} {got[2][:200]}")
                    break
    verdict.note("deaths", died)
    verdict.expect(died > rounds / 3, "the program was killed often enough")
    whole = [name for name, said in answers.items() if len(said) == 2]
    verdict.expect(len(whole) == 4 * rounds, "every name was answered twice", len(whole))
    same = [name for name in whole if answers[name][0] == answers[name][1]]
    verdict.expect(len(same) == len(whole), "with the same words", len(same))


def judge_bills(world, verdict, charged_before, names):
    rows = world.store.rows("SELECT completion_tokens FROM usage_records WHERE completion_tokens > 0")
    charged = len(rows) - charged_before
    # Killed between keeping the answer and its final record, a request is answered for nothing.
    verdict.expect(0.5 * names < charged <= names, "no name was paid for twice", f"{charged} charged of {names} names")
    verdict.expect(all(int(tokens) in (7, 9) for (tokens,) in rows[charged_before:]), "and each bill is whole")


def idempotency(options, verdict):
    """Repeated requests are answered once and paid once."""
    seed = options.seed or random.SystemRandom().randrange(1 << 31)
    verdict.note("database, rounds, seed", f"{options.database}, {options.rounds}, {seed}")
    world = World(options.build, [WHOLE, STREAM, LONG, SLOW, LARGE, BROKEN], options.database)
    try:
        world.start()
        plain_rules(world, verdict)
        special_ends(world, verdict)
        while_it_runs(world, verdict)
        killed_when_left(world, verdict)
        stored_late(world, verdict)
        world.stop()
        before = len(world.store.rows("SELECT completion_tokens FROM usage_records WHERE completion_tokens > 0"))
        world.start()
        kill_rounds(world, verdict, options.rounds, seed)
        world.end(verdict)
        judge_bills(world, verdict, before, 4 * options.rounds)
        clear = world.store.rows("SELECT COUNT(*) FROM idempotency_keys WHERE state = 'running'")
        verdict.expect(clear == [("0",)], "no claim stays behind", clear)
        judge_leaks(verdict, world)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--database", choices=("sqlite", "mariadb"), default="sqlite")
    parser.add_argument("--seed", type=int)


if __name__ == "__main__":
    raise SystemExit(main(idempotency, describe))
