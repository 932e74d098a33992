#!/usr/bin/env python3
"""Every way in which an upstream can misbehave, in every dialect, streamed and not, alone, with another endpoint to go
to, or with another child of a hybrid; seen by a caller of any protocol: the caller gets the whole answer, a documented
status, or an error event, each in the form of its protocol; in time; without a word about the upstream; and pays
only for what it should, by the price of the one who answered."""

import concurrent.futures
import json
import subprocess
import time
import zlib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from callers import CALLERS, understand
from judge import judge_leaks, judge_sums, mock_truth, short
from who_pays import overdraw
from world import World, main, name_of, quantile

VARIANTS = Path(__file__).resolve().parent.parent / "e2e/variants.json"
SECONDS = 15
AT_ONCE = 32
DIALECTS = ("openai", "anthropic", "gemini")
# Who answers when another cannot: always one of another dialect.
SPARES = {"openai": "anthropic", "anthropic": "gemini", "gemini": "openai"}
SPARE = "mock-ok:tokens=16"
SPARE_MODEL = "mock-other-child"
# What a request can fall back to, and the kind of model that has it.
BESIDE = {"nobody": "", "spare": "spare", "child": "hybrid"}
PRICE = [{"input_price": "2", "output_price": "8"}]
DEARER = [{"input_price": "3", "output_price": "11"}]  # of a hybrid's other child
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
    beside: str  # of BESIDE

    @property
    def alone(self):
        return self.beside == "nobody"

    @property
    def model(self):
        return name_of(self.dialect, f"mock-{self.name}", BESIDE[self.beside])

    def __str__(self):
        return f"{self.dialect} {self.name} {'streamed' if self.stream else 'whole'} beside {self.beside}"


def behaviours(build):
    listed = subprocess.run([str(build / "bin/mock_upstream"), "--list"], capture_output=True, text=True,
                            check=True).stdout
    names = [line.split()[0].removeprefix("mock-") for line in listed.splitlines()]
    plain = [n for n in names if not n.startswith("status") and n not in ENDLESS]
    return list(dict.fromkeys([*plain, *STATUSES, *HINTS]))


def ask(world, caller, case):
    """(status, headers, body, seconds)"""
    began = time.monotonic()
    try:
        status, headers, body = world.ask(caller, case.model, timeout=SECONDS, stream=case.stream)
    except TimeoutError:
        status, headers, body = 0, {}, b"no end"
    except OSError as broken:
        status, headers, body = 0, {}, f"broken: {broken}".encode()
    return status, headers, body, time.monotonic() - began


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
    if not case.alone and "fails" in kinds and case.name not in OWN_FAULTS:
        kinds = kinds - {"fails"} | {"complete"}
    return kinds


def judge_one(verdict, table, caller, case, answer):
    status, headers, body, took = answer
    wrong = []
    wanted = STATUSES_OF.get((case.dialect, case.name), STATUSES.get(case.name, status))
    if not case.alone and case.name not in OWN_FAULTS:
        wanted = 200
    wanted = caller.status(wanted)
    if case.name in STATUSES and status != wanted:
        wrong.append(f"wanted status {wanted}")
    statuses, hint = HINTS.get(case.name, ({status}, None))
    statuses = set(map(caller.status, statuses))
    # Whole seconds, rounded up, by a clock that is read once a turn: one more or less is no other answer.
    hinted = hint is None or abs(int(headers.get("retry-after", 0)) - int(hint)) <= 1
    if case.alone and (status not in statuses or not hinted):
        wrong.append(f"wanted {statuses}, retry-after {hint}, not {headers.get('retry-after')}")
    if status == 429 and headers.get("x-should-retry") != "false" and not 1 <= int(headers.get("retry-after", 0)) < 60:
        wrong.append(f"a 429 with the hint {headers.get('retry-after')}")
    told = understand(caller, status, body, case.stream)
    kind = told.kind
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
    return status, told, headers.get("x-request-id"), took


def bills(world):
    """request id -> its usage row"""
    names = ("outcome", "prompt_tokens", "completion_tokens", "charged", "status", "api", "model_name", "served_model")
    rows = world.store.rows(f"SELECT LOWER(HEX(request_id)), {', '.join(names)} FROM usage_records")
    return {row[0]: dict(zip(names, row[1:])) for row in rows}


def price_of(row):
    """In units of 10^-10 yuan."""
    price = (DEARER if row["served_model"] == SPARE_MODEL else PRICE)[0]
    return sum(int(row[count]) * int(Decimal(price[which]) * 10_000)
               for count, which in (("prompt_tokens", "input_price"), ("completion_tokens", "output_price")))


def wrong_bill(caller, case, status, told, row, sent):
    """What failed or broke costs nothing; what was whole costs what the one who answered says, by its price."""
    if row is None:
        return "no row"
    if (int(row["status"]), row["api"], row["model_name"]) != (status, caller.recorded, case.model):
        return f"the caller saw {status} of {case.model} in {caller.recorded}"
    paid = int(row["prompt_tokens"]), int(row["completion_tokens"])
    if told.kind != "complete":
        return "charged" if any(paid) or int(row["charged"]) or row["outcome"] == "completed" else ""
    if row["outcome"] != "completed":
        return "not completed"
    if case.beside == "child" and not row["served_model"]:
        return "nobody served it"
    if paid != told.tokens or int(row["charged"]) != price_of(row):
        return f"the caller was told {told.tokens}, and {price_of(row)} is its price"
    if case.name in ESTIMATED or not sent:
        return ""
    return "" if paid in sent else f"the upstream says {sent}"


def judge_bills(verdict, world, caller, seen):
    rows, truth, wrong = bills(world), mock_truth(world), []
    for case, (status, told, request_id, _) in seen.items():
        request = short(request_id or "")
        sent = {(r["prompt_tokens"], r["completion_tokens"]) for r in truth[request] if r["end"] == "completed"}
        fault = wrong_bill(caller, case, status, told, rows.get(request), sent)
        if fault:
            wrong.append((str(case), told.kind, rows.get(request), fault))
    verdict.expect(not wrong, "what failed is free, what was whole costs what was sent",
                   "\n".join(map(str, wrong[:20])) or f"{len(seen)} bills")


def make_models(world, cases):
    overdraw(world, 1000)
    world.start()
    spares = {d: world.endpoint_of(d, f"the spare, {d}", SPARE) for d in DIALECTS}
    world.admin("admin/models", {"model_name": SPARE_MODEL, "vendor_type": "provider", "pricing_tiers": DEARER,
                                 "endpoint_ids": [spares["anthropic"]]})
    for dialect, beside in sorted({(case.dialect, case.beside) for case in cases}):
        scripts = sorted({f"mock-{c.name}" for c in cases if (c.dialect, c.beside) == (dialect, beside)})
        if beside == "nobody":
            world.serve(dialect, scripts, price=PRICE)
        elif beside == "spare":
            world.serve(dialect, scripts, "spare", spares[SPARES[dialect]], PRICE)
        else:
            world.serve_hybrids(dialect, scripts, SPARE_MODEL, PRICE)


def cases_of(table, names, dialects, beside, every):
    """One in `every` of them, the same ones each time."""
    cases = [Case(d, n, stream, b) for d in dialects for n in names for stream in (True, False) for b in beside]
    return [case for case in cases if expected(table, case) and zlib.crc32(str(case).encode()) % every == 0]


def judge_rest(verdict, world, before):
    """Nothing of all that is left behind."""
    deadline = time.monotonic() + 5
    while world.mock_stats()["running"] and time.monotonic() < deadline:
        time.sleep(0.05)
    verdict.expect(world.mock_stats()["running"] == 0, "no upstream request is left running",
                   world.mock_stats()["running"])
    left = world.descriptors() - world.mock_stats()["open_connections"] - before
    verdict.expect(left <= 8, "no descriptor is left", f"{left} more")


def ask_all(verdict, world, caller, table, cases):
    """What came of each."""
    seen, began = {}, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {case: pool.submit(ask, world, caller, case) for case in cases}
        for case, future in asked.items():
            seen[case] = judge_one(verdict, table, caller, case, future.result())
    kinds = [told.kind for _, told, _, _ in seen.values()]
    verdict.note("answers", {kind: kinds.count(kind) for kind in sorted(set(kinds))})
    slowest = quantile([took for _, _, _, took in seen.values()], 1)
    verdict.expect(verdict.failed == 0, f"{caller.name}: each of {len(cases)} cases ends as documented",
                   f"slowest {slowest:.1f} s, all {time.monotonic() - began:.0f} s")
    return seen


def upstream_faults(options, verdict):
    """All faults of the mock."""
    dialects, beside = options.dialects.split(","), options.beside.split(",")
    caller = CALLERS[options.caller]
    table = {row["variant"]: row for row in json.loads(VARIANTS.read_text())["rows"]}
    world = World(options.build, [])
    try:
        cases = cases_of(table, behaviours(options.build), dialects, beside, options.every)
        make_models(world, cases)
        before = world.descriptors()
        seen = ask_all(verdict, world, caller, table, cases)
        judge_rest(verdict, world, before)
        for dialect in dialects:
            world.serve(dialect, ["mock-echo-headers"], "echo")
            heard = world.chat(name_of(dialect, "mock-echo-headers", "echo"))[2]
            verdict.expect(world.secrets["upstream key"].encode() in heard and world.key.encode() not in heard,
                           f"{dialect}: the upstream gets its own key and never the caller's")
        judge_leaks(verdict, world)
        world.end(verdict)
        judge_bills(verdict, world, caller, seen)
        judge_sums(verdict, world.store)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--dialects", default=",".join(DIALECTS))
    parser.add_argument("--caller", default="chat", choices=CALLERS)
    parser.add_argument("--beside", default="nobody,spare", help="what there is to go to: nobody, spare, child")
    parser.add_argument("--every", type=int, default=1, help="one case in so many")


if __name__ == "__main__":
    raise SystemExit(main(upstream_faults, describe))
