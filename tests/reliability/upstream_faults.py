#!/usr/bin/env python3
"""Every way in which an upstream can misbehave, in every dialect, streamed and not, with and without another
endpoint to go to: the caller gets the whole answer, a documented status, or an error event; in time; without a
word about the upstream; and pays only for what it should."""

import concurrent.futures
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bad_input import shape_of
from judge import judge_leaks, judge_sums, mock_truth, short, usage_rows
from world import World, main, name_of, quantile

VARIANTS = Path(__file__).resolve().parent.parent / "e2e/variants.json"
SECONDS = 15
AT_ONCE = 32
DIALECTS = ("openai", "anthropic", "gemini")
# Who answers when another cannot: always one of another dialect.
SPARES = {"openai": "anthropic", "anthropic": "gemini", "gemini": "openai"}
SPARE = "mock-ok:tokens=16"
# Beside what variants.json says: statuses and their answers.
STATUSES = {"status-400": 400, "status-401": 502, "status-402": 502, "status-403": 502, "status-404": 502,
            "status-408": 504, "status-413": 413, "status-422": 400, "status-429": 429, "status-500": 502,
            "status-501": 502, "status-502": 502, "status-503": 502, "status-504": 504, "status-529": 502,
            "status-418": 502, "status-204": 502, "status-301": 502, "context-length": 400, "bad-key": 502,
            "insufficient-quota": 502, "no-answer": 504}
# Gemini has one status and one sentence for a limit that passes and for one that does not.
STATUSES_OF = {("gemini", "insufficient-quota"): 429}
OWN_FAULTS = {"status-400", "status-413", "status-422", "context-length"}  # no other endpoint would help
# The second time round nobody is asked before the hint is over.
HINTS = {"status-429:retry-after=7": ({429}, "7"), "status-503:retry-after=9": ({502, 503}, "9")}
ENDLESS = {"never-ending", "flood-forever", "slow-loris", "slow-head"}  # right, only long
SECRETS = ["sk-up", "api_key", "127.0.0.1", "localhost", "mock_upstream", "Traceback", "errno"]
# Their usage is missing or wrong: what is billed is an estimate.
ESTIMATED = {"no-usage", "zero-usage", "garbage-usage", "no-finish", "no-last-blank", "usage-on-finish"}


@dataclass(frozen=True)
class Case:
    dialect: str
    name: str
    stream: bool
    spare: bool

    def __str__(self):
        return (f"{self.dialect} {self.name} {'streamed' if self.stream else 'whole'}"
                f"{' with a spare' if self.spare else ''}")


def behaviours(build):
    listed = subprocess.run([str(build / "bin/mock_upstream"), "--list"], capture_output=True, text=True,
                            check=True).stdout
    names = [line.split()[0].removeprefix("mock-") for line in listed.splitlines()]
    plain = [n for n in names if not n.startswith("status") and n not in ENDLESS]
    return list(dict.fromkeys([*plain, *STATUSES, *HINTS]))


def ask(world, case):
    """(status, headers, body, seconds)"""
    began = time.monotonic()
    try:
        model = name_of(case.dialect, f"mock-{case.name}", case.spare)
        status, headers, body = world.chat(model, timeout=SECONDS, stream=case.stream)
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


def expected(table, case):
    """The set of kinds that are right; empty: not to be asked, an unstreamed answer has no early limit."""
    row = table.get(case.name, {})
    row = {**row, **row.get(case.dialect, {})}
    word = row.get("stream", "meant") if case.stream else row.get("whole", row.get("stream", "meant"))
    if word is None:
        return set()
    sets = {"complete": {"complete"}, "breaks": {"breaks"}, "fails": {"fails"}, "refused": {"refused"},
            "breaks-or-fails": {"breaks", "fails"}, "meant": {"complete", "breaks", "fails", "refused"}}
    kinds = {"fails"} if word == "breaks" and not case.stream else sets[word]
    if case.spare and "fails" in kinds and case.name not in OWN_FAULTS:
        kinds = kinds - {"fails"} | {"complete"}
    return kinds


def judge_one(verdict, table, case, answer):
    status, headers, body, took = answer
    wrong = []
    wanted = STATUSES_OF.get((case.dialect, case.name), STATUSES.get(case.name, status))
    if case.spare and case.name not in OWN_FAULTS:
        wanted = 200
    if case.name in STATUSES and status != wanted:
        wrong.append(f"wanted status {wanted}")
    statuses, hint = HINTS.get(case.name, ({status}, None))
    if not case.spare and (status not in statuses or (hint and int(headers.get("retry-after", 0)) not in (int(hint), int(hint) - 1))):
        wrong.append(f"wanted {statuses}, retry-after {hint}, not {headers.get('retry-after')}")
    kind = kind_of(status, body, case.stream)
    allowed = expected(table, case)
    if kind not in allowed:
        wrong.append(f"{kind}, wanted {sorted(allowed)}")
    # The mock echoes requests and headers in some behaviours; those are answers, not errors.
    said = body if kind != "complete" else b""
    wrong += [f"says {secret}" for secret in SECRETS if secret.encode() in said]
    if took > SECONDS - 1:
        wrong.append(f"{took:.1f} s")
    if wrong:
        verdict.expect(False, str(case), f"{status} {'; '.join(wrong)} {body[-200:]}")
    return kind, headers.get("x-request-id"), took


def wrong_bill(case, kind, row, sent):
    """What failed or broke costs nothing; what was whole costs what the one who answered says."""
    if row is None:
        return "no row"
    outcome, prompt, completion, _ = row
    if kind != "complete":
        return "charged" if prompt or completion or outcome == "completed" else ""
    if outcome != "completed":
        return "not completed"
    if case.name in ESTIMATED or not sent:
        return ""
    return "" if (prompt, completion) in sent else f"the upstream says {sent}"


def judge_bills(verdict, world, seen):
    rows, truth, wrong = usage_rows(world), mock_truth(world), []
    for case, (kind, request_id, _) in seen.items():
        request = short(request_id or "")
        sent = {(r["prompt_tokens"], r["completion_tokens"]) for r in truth[request] if r["end"] == "completed"}
        fault = wrong_bill(case, kind, rows.get(request), sent)
        if fault:
            wrong.append((str(case), kind, rows.get(request), fault))
    verdict.expect(not wrong, "what failed is free, what was whole costs what was sent",
                   "\n".join(map(str, wrong[:20])) or f"{len(seen)} bills")


def make_models(world, names, dialects, with_spares):
    world.start()
    scripts = [f"mock-{n}" for n in names]
    spares = {d: world.endpoint_of(d, f"the spare, {d}", SPARE) for d in with_spares and DIALECTS}
    for dialect in dialects:
        world.serve(dialect, scripts)
        if with_spares:
            world.serve(dialect, scripts, spares[SPARES[dialect]])


def cases_of(table, names, dialects, with_spares):
    cases = [Case(d, n, stream, spare) for d in dialects for n in names for stream in (True, False)
             for spare in ((False, True) if with_spares else (False,))]
    return [case for case in cases if expected(table, case)]


def judge_rest(verdict, world, before):
    """Nothing of all that is left behind."""
    deadline = time.monotonic() + 5
    while world.mock_stats()["running"] and time.monotonic() < deadline:
        time.sleep(0.05)
    verdict.expect(world.mock_stats()["running"] == 0, "no upstream request is left running",
                   world.mock_stats()["running"])
    left = world.descriptors() - world.mock_stats()["open_connections"] - before
    verdict.expect(left <= 8, "no descriptor is left", f"{left} more")


def upstream_faults(options, verdict):
    """All faults of the mock."""
    names = behaviours(options.build)
    dialects = options.dialects.split(",")
    table = {row["variant"]: row for row in json.loads(VARIANTS.read_text())["rows"]}
    world = World(options.build, [])
    try:
        make_models(world, names, dialects, not options.no_spares)
        before, seen = world.descriptors(), {}
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            asked = {case: pool.submit(ask, world, case)
                     for case in cases_of(table, names, dialects, not options.no_spares)}
            for case, future in asked.items():
                seen[case] = judge_one(verdict, table, case, future.result())
        kinds = [kind for kind, _, _ in seen.values()]
        verdict.note("answers", {kind: kinds.count(kind) for kind in sorted(set(kinds))})
        verdict.expect(verdict.failed == 0, f"each of {len(names)} faults in {len(seen)} cases ends as documented",
                       f"slowest {quantile([t for _, _, t in seen.values()], 1):.1f} s, "
                       f"all {time.monotonic() - began:.0f} s")
        judge_rest(verdict, world, before)
        for dialect in dialects:
            heard = world.chat(name_of(dialect, "mock-echo-headers"))[2]
            verdict.expect(world.secrets["upstream key"].encode() in heard and world.key.encode() not in heard,
                           f"{dialect}: the upstream gets its own key and never the caller's")
        judge_leaks(verdict, world)
        verdict.expect(world.stop() == 0, "the program ends well")
        judge_bills(verdict, world, seen)
        judge_sums(verdict, world.store)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--dialects", default=",".join(DIALECTS))
    parser.add_argument("--no-spares", action="store_true", help="no other endpoint to go to")


if __name__ == "__main__":
    raise SystemExit(main(upstream_faults, describe))
