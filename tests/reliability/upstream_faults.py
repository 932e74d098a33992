#!/usr/bin/env python3
"""Every way in which an upstream can misbehave, streamed and not: the caller gets the whole answer, a documented
status, or an error event; in time; without a word about the upstream; and pays only for what it should."""

import concurrent.futures
import json
import subprocess
import time
from pathlib import Path

from bad_input import shape_of
from judge import judge_leaks, judge_sums, short, usage_rows
from world import World, main, quantile

VARIANTS = Path(__file__).resolve().parent.parent / "e2e/variants.json"
SECONDS = 15
AT_ONCE = 16
# Beside what variants.json says: statuses and their answers.
STATUSES = {"status-400": 400, "status-401": 502, "status-402": 502, "status-403": 502, "status-404": 502,
            "status-408": 504, "status-413": 413, "status-422": 400, "status-429": 429, "status-500": 502,
            "status-501": 502, "status-502": 502, "status-503": 502, "status-504": 504, "status-529": 502,
            "status-418": 502, "status-204": 502, "status-301": 502, "context-length": 400,
            "insufficient-quota": 502, "no-answer": 504}
HINTS = {"status-429:retry-after=7": ("429", "7"), "status-503:retry-after=9": ("502", "9")}
ENDLESS = {"never-ending", "flood-forever", "slow-loris", "slow-head"}  # right, only long
SECRETS = ["sk-up", "api_key", "127.0.0.1", "localhost", "mock_upstream", "Traceback", "errno"]


def behaviours(build):
    listed = subprocess.run([str(build / "bin/mock_upstream"), "--list"], capture_output=True, text=True,
                            check=True).stdout
    names = [line.split()[0].removeprefix("mock-") for line in listed.splitlines()]
    plain = [n for n in names if not n.startswith("status") and n not in ENDLESS]
    return list(dict.fromkeys([*plain, *STATUSES, *HINTS]))


def ask(world, name, stream):
    """(status, headers, body, seconds)"""
    began = time.monotonic()
    try:
        status, headers, body = world.chat(f"mock-{name}", timeout=SECONDS, stream=stream)
    except TimeoutError:
        status, headers, body = 0, {}, b"no end"
    except OSError as broken:
        status, headers, body = 0, {}, f"broken: {broken}".encode()
    return status, headers, body, time.monotonic() - began


def kind_of(status, body, stream):
    """complete, breaks, refused, fails or what is wrong."""
    if status == 200 and stream:
        events = [line[6:] for line in body.decode(errors="replace").split("\n") if line.startswith("data: ")]
        if not events:
            return "a silent empty stream"
        if events[-1] == "[DONE]":
            return "complete"
        return "breaks" if events[-1].startswith('{"error":') and shape_of(events[-1])[0] else "a silent end"
    if status == 200:
        try:
            return "complete" if "error" not in json.loads(body) else "an error with status 200"
        except ValueError:
            return "not JSON with status 200"
    if shape_of(body)[2] is None:
        return shape_of(body)[0]
    return "refused" if status in (400, 413, 429) else "fails" if status in (502, 503, 504) else f"status {status}"


def expected(table, name, stream):
    """The set of kinds that are right; empty: not to be asked, an unstreamed answer has no early limit."""
    row = table.get(name, {})
    word = row.get("stream", "meant") if stream else row.get("whole", row.get("stream", "meant"))
    if word is None:
        return set()
    sets = {"complete": {"complete"}, "breaks": {"breaks"}, "fails": {"fails"}, "refused": {"refused"},
            "breaks-or-fails": {"breaks", "fails"}, "meant": {"complete", "breaks", "fails", "refused"}}
    if word == "breaks" and not stream:
        return {"fails"}
    return sets[word]


def judge_one(verdict, table, name, stream, answer):
    status, headers, body, took = answer
    wrong = []
    if name in STATUSES and status != STATUSES[name]:
        wrong.append(f"wanted status {STATUSES[name]}")
    if name in HINTS and (str(status), headers.get("retry-after")) != HINTS[name]:
        wrong.append(f"wanted {HINTS[name]}, retry-after {headers.get('retry-after')}")
    kind = kind_of(status, body, stream)
    allowed = expected(table, name, stream)
    if kind not in allowed:
        wrong.append(f"{kind}, wanted {sorted(allowed)}")
    # The mock echoes requests and headers in some behaviours; those are answers, not errors.
    said = body if kind != "complete" else b""
    wrong += [f"says {secret}" for secret in SECRETS if secret.encode() in said]
    if took > SECONDS - 1:
        wrong.append(f"{took:.1f} s")
    if wrong:
        verdict.expect(False, f"{name} {'streamed' if stream else 'whole'}", f"{status} {'; '.join(wrong)} {body[-200:]}")
    return kind, headers.get("x-request-id"), took


def judge_bills(verdict, world, seen):
    """What failed or broke costs nothing; what was whole has its row."""
    rows, wrong = usage_rows(world), []
    for name, (kind, request_id, _) in seen.items():
        row = rows.get(short(request_id or ""))
        if row is None:
            wrong.append((name, kind, "no row"))
        elif kind == "complete" and row[0] != "completed":
            wrong.append((name, kind, row))
        elif kind != "complete" and (row[1] or row[2] or row[0] == "completed"):
            wrong.append((name, kind, row))
    verdict.expect(not wrong, "what failed is free, what was whole is recorded", wrong[:5] or f"{len(seen)} bills")


def upstream_faults(options, verdict):
    """All faults of the mock."""
    names = behaviours(options.build)
    table = {row["variant"]: row for row in json.loads(VARIANTS.read_text())["rows"]}
    world = World(options.build, [f"mock-{n}" for n in names])
    try:
        world.start()
        before, seen = world.descriptors(), {}
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            asked = {(n, s): pool.submit(ask, world, n, s) for n in names for s in (True, False)
                     if expected(table, n, s)}
            for (name, stream), future in asked.items():
                seen[f"{name} {stream}"] = judge_one(verdict, table, name, stream, future.result())
        kinds = [kind for kind, _, _ in seen.values()]
        verdict.note("answers", {kind: kinds.count(kind) for kind in sorted(set(kinds))})
        verdict.expect(verdict.failed == 0, f"each of {len(seen)} faults ends as documented",
                       f"slowest {quantile([t for _, _, t in seen.values()], 1):.1f} s")
        deadline = time.monotonic() + 5
        while world.mock_stats()["running"] and time.monotonic() < deadline:
            time.sleep(0.05)
        verdict.expect(world.mock_stats()["running"] == 0, "no upstream request is left running",
                       world.mock_stats()["running"])
        left = world.descriptors() - world.mock_stats()["open_connections"] - before
        verdict.expect(left <= 8, "no descriptor is left", f"{left} more")
        heard = world.chat("mock-echo-headers")[2]
        verdict.expect(world.secrets["upstream key"].encode() in heard and world.key.encode() not in heard,
                       "the upstream gets its own key and never the caller's")
        judge_leaks(verdict, world)
        verdict.expect(world.stop() == 0, "the program ends well")
        judge_bills(verdict, world, seen)
        judge_sums(verdict, world.store)
    finally:
        world.close()


if __name__ == "__main__":
    raise SystemExit(main(upstream_faults, lambda parser: None))
