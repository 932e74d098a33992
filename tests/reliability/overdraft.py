#!/usr/bin/env python3
"""Two hundred requests at once on a quota, a balance or free tokens for ten: never more than ten are admitted, nor
more at once than max_inflight, and no sample of the books ever shows less than there is; on one instance and on
three that share a database."""

import json
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from judge import judge_books, judge_leaks
from world import World, main, port_for_restarts, public

CALLERS = 200
TENFOLD = 10
TOKENS = 10
FREE = f"mock-ok:tokens={TOKENS},delay_ms=100"
PAID = f"mock-ok:tokens={TOKENS},delay_ms=101"
NARROW = f"mock-ok:tokens={TOKENS},delay_ms=102"
LONG = "mock-ok:tokens=5000,chunk_ms=0"
PRICE = [{"max_input_tokens": 0, "input_price": 0, "output_price": 1000}]  # 0.01 yuan for ten tokens of output
MOCK_PROMPT = 2  # "Say it." as the mock counts it
NEWS_US = 5000  # until the program has read an answer's end, and the mock noted it
RETURN_SECONDS = 5  # idle leases are back after one or two


class Fleet:
    """Several programs over the database of one world."""

    def __init__(self, world, count):
        self.world, self.programs = world, [world]
        for number in range(1, count):
            self.programs.append(self._sibling(number))

    def _sibling(self, number):
        """The same world behind another port, with a data directory (and so an identity) of its own."""
        other = object.__new__(World)
        other.__dict__.update(self.world.__dict__)
        other.port, other.data_dir = port_for_restarts(), self.world.folder / f"data-{number}"
        other.config = {**self.world.config, "data_dir": str(other.data_dir),
                        "server": {"http_addr": f"127.0.0.1:{other.port}"}}
        other.config_file = self.world.folder / f"deeppool-{number}.yaml"
        other.config_file.write_text(json.dumps(other.config))
        return other

    def start(self):
        for program in self.programs:
            program.start()

    def stop(self):
        return [program.stop() for program in self.programs]

    def burst(self, model, at_once=CALLERS, **more):
        """All callers, spread over the programs: (status, code, x-should-retry) of each."""
        gate = threading.Barrier(at_once)

        def one(number):
            program = self.programs[number % len(self.programs)]
            if number < at_once:
                gate.wait()
            try:
                status, headers, body = program.chat(model, timeout=30, max_tokens=TOKENS, **more)
            except OSError:
                return None, "broken", None
            code = json.loads(body).get("error", {}).get("code")
            return status, code, headers.get("x-should-retry")

        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(one, range(CALLERS)))


class Books:
    """What the database says of the funds of user 1, in yuan and tokens."""

    def __init__(self, store):
        self.store, self.scale = store, 10**10 if store.name == "sqlite" else 1
        self.before = {}

    def _change(self, sql):
        self.store.run(f"{sql}; UPDATE config_version SET version = version + 1, terms_version = terms_version + 1;")

    def give_money(self, yuan):
        amount = int(yuan * 10**10) if self.scale > 1 else yuan
        self._change(f"""INSERT INTO ledger_txns (txn_id, kind, created_at) VALUES ('adjust:{yuan}', 'adjust', 0);
            INSERT INTO ledger_entries (txn_id, account, user_id, amount, created_at)
              VALUES ('adjust:{yuan}', 'user:1', 1, {amount}, 0), ('adjust:{yuan}', 'adjustment', NULL, -{amount}, 0);
            DELETE FROM user_wallets WHERE user_id = 1 AND posted = 0 AND leased = 0;
            INSERT INTO user_wallets (user_id, posted, updated_at) VALUES (1, {amount}, 0)""")

    def give_tokens(self, tokens):
        self._change(f"INSERT INTO token_grants (user_id, tokens_total, created_at) VALUES (1, {tokens}, 0)")

    def set_quota(self, key, tokens):
        """Leaves the key so many tokens; -1 is unlimited. `used` counts from here."""
        self.before[key] = self.before.get(key, 0) + self.used(key)
        total = tokens if tokens < 0 else self.before[key] + tokens
        self._change(f"UPDATE api_keys SET quota_total = {total} WHERE id = {key}")

    def funds(self):
        """kind -> (there, leased, sum of the leases), one statement, so one moment."""
        rows = self.store.rows("""
            SELECT 'wallet', posted, leased,
              (SELECT COALESCE(SUM(amount), 0) FROM fund_leases WHERE kind = 'wallet') FROM user_wallets
            UNION ALL SELECT 'grant', tokens_total - tokens_used, tokens_leased,
              (SELECT COALESCE(SUM(amount), 0) FROM fund_leases WHERE kind = 'grant') FROM token_grants
            UNION ALL SELECT 'quota', quota_total - quota_used, quota_leased,
              (SELECT COALESCE(SUM(amount), 0) FROM fund_leases WHERE kind = 'quota') FROM api_keys
              WHERE quota_total >= 0""")
        return {kind: (float(there), float(leased),
                       float(leases) / (10**10 if kind == "wallet" and self.scale == 1 else 1))
                for kind, there, leased, leases in rows}

    def used(self, key):
        used = int(self.store.rows(f"SELECT quota_used FROM api_keys WHERE id = {key}")[0][0])
        return used - self.before.get(key, 0)


class Samples(threading.Thread):
    """Looks at the books until it is told to stop, and keeps what must not be."""

    def __init__(self, books):
        super().__init__()
        self.books, self.wrong, self.count, self.done = books, [], 0, threading.Event()

    def run(self):
        while not self.done.is_set():
            for kind, (there, leased, leases) in self.books.funds().items():
                if there < 0 or there - leased < -1e-9 or abs(leased - leases) > 1e-9:
                    self.wrong.append((kind, there, leased, leases))
            self.count += 1

    def end(self):
        self.done.set()
        self.join()


def judge_burst(verdict, what, answers, exactly=None):
    admitted = sum(status == 200 for status, _, _ in answers)
    refused = [a for a in answers if a[0] != 200]
    verdict.expect(1 <= admitted <= TENFOLD and exactly in (None, admitted),
                   f"{what} for {TENFOLD}: of {CALLERS} requests at once are admitted", admitted)
    odd = [a for a in refused if a != (429, "insufficient_quota", "false")]
    verdict.expect(not odd, "the others are told that it is spent, and not to try again", odd[:3] or len(refused))
    return admitted


def await_return(verdict, books):
    """Everything that was leased and not used comes back."""
    began = time.monotonic()
    while any(leased for _, leased, _ in books.funds().values()) and time.monotonic() - began < RETURN_SECONDS:
        time.sleep(0.05)
    verdict.expect(not any(leased for _, leased, _ in books.funds().values()), "no fund stays leased",
                   f"after {time.monotonic() - began:.1f} s")


def judge_inflight(verdict, world, fleet):
    """A key's limit of requests at once, which each program counts for itself."""
    limit, own = 3, world.secrets["key"]
    world.secrets["key"] = world.admin("apikeys", {"name": "narrow", "max_inflight": limit})["full_key"]
    time.sleep(1)  # known everywhere
    answers = fleet.burst(NARROW)
    world.secrets["key"] = own
    refused = [a for a in answers if a[0] != 200]
    verdict.expect(0 < len(refused) < CALLERS and all(a[:2] == (429, "rate_limit_exceeded") for a in refused),
                   "above max_inflight callers are told to wait", f"{len(refused)} of {CALLERS}")
    ran = [(r["started_us"], r["ended_us"] - NEWS_US) for r in map(json.loads, (world.folder / "mock.jsonl").open())
           if r["model"] == NARROW]
    most = max(sum(begin <= at < end for begin, end in ran) for at, _ in ran)
    verdict.expect(most <= limit * len(fleet.programs),
                   f"with max_inflight {limit} on {len(fleet.programs)} programs ran at once", most)


def judge_quota(verdict, world, fleet, books):
    each = MOCK_PROMPT + TOKENS
    books.set_quota(world.key_id, TENFOLD * each)
    time.sleep(1)  # in force everywhere
    admitted = judge_burst(verdict, "a quota", fleet.burst(FREE))
    await_return(verdict, books)
    # Prompts are held for a little more than they take: the rest is there for who comes alone.
    while fleet.programs[admitted % len(fleet.programs)].chat(FREE, max_tokens=TOKENS)[0] == 200:
        admitted += 1
        await_return(verdict, books)
        if admitted > TENFOLD:
            break
    verdict.expect(admitted <= TENFOLD and books.used(world.key_id) == admitted * each,
                   "with those who came later", f"{admitted}, {books.used(world.key_id)} tokens")
    books.set_quota(world.key_id, -1)


def judge_stream(verdict, world, books):
    """A stream without max_tokens grows until the quota ends, and says so."""
    quota = 900
    books.set_quota(world.key_id, quota)
    time.sleep(1)
    _, _, body = world.chat(LONG, stream=True)
    events = [json.loads(line[6:]) for line in body.decode().split("\n\n") if line.startswith("data: {")]
    last = events[-1]
    verdict.expect(last["choices"][0]["finish_reason"] == "length"
                   and last["deeppool"]["stopped_by"] == "insufficient_quota",
                   "a stream that reaches the quota ends with length and the reason")
    await_return(verdict, books)
    used = books.used(world.key_id)
    verdict.expect(0.9 * quota <= used <= quota, f"of {quota} tokens were used", used)
    books.set_quota(world.key_id, -1)


def judge_crash(verdict, world, fleet, books):
    """A program dies while it holds money; when it is back, what it did not use is, too."""
    books.give_money(1)
    time.sleep(1)
    victim = fleet.programs[-1]
    killer = threading.Timer(0.35, victim.kill)
    killer.start()
    answers = fleet.burst(PAID, at_once=20)
    killer.join()
    victim.start()
    await_return(verdict, books)
    seen = sum(status == 200 for status, _, _ in answers)
    posted = books.funds()["wallet"][0] / books.scale
    charged = round((1 - posted) / 0.01)
    verdict.expect(0 < seen <= charged <= 100 and posted >= 0, "after a kill, charged are",
                   f"{charged} requests, {seen} of them seen complete")


def overdraft(options, verdict):
    """Two hundred requests at once on funds for ten."""
    world = World(options.build, [FREE, PAID, NARROW, LONG], options.database, start=False,
                  prices={PAID: PRICE})
    count = 3 if options.database == "mariadb" else 1
    fleet = samples = None
    try:
        world.config["admin"]["api_key_encryption_key"] = secrets.token_hex(32)
        world.config_file.write_text(json.dumps(world.config))
        world.prepare()
        books, fleet = Books(world.store), Fleet(world, count)
        fleet.start()
        samples = Samples(books)
        samples.start()
        verdict.note("instances", count)
        judge_inflight(verdict, world, fleet)
        judge_quota(verdict, world, fleet, books)
        judge_stream(verdict, world, books)
        books.give_tokens(TENFOLD * (MOCK_PROMPT + TOKENS))
        time.sleep(1)
        judge_burst(verdict, "free tokens", fleet.burst(PAID))
        await_return(verdict, books)
        world.store.run("UPDATE token_grants SET revoked_at = 1; UPDATE config_version SET"
                        " version = version + 1, terms_version = terms_version + 1;")
        books.give_money(0.1)
        time.sleep(1)
        judge_burst(verdict, "a balance", fleet.burst(PAID), exactly=TENFOLD)
        await_return(verdict, books)
        verdict.expect(books.funds()["wallet"][0] == 0, "the balance is spent to the last unit")
        judge_crash(verdict, world, fleet, books)
        samples.end()
        verdict.expect(not samples.wrong and samples.count > 20,
                       "no sample shows less than nothing, or leases that are not their sum",
                       f"{samples.count} samples {samples.wrong[:3]}")
        verdict.expect(fleet.stop() == [0] * count, "the programs end well")
        left = world.store.rows("SELECT * FROM fund_leases WHERE amount <> 0")
        verdict.expect(not left, "nothing is leased at the end", left)
        judge_books(verdict, world)
        judge_leaks(verdict, world)
    finally:
        if samples:
            samples.end()
        for program in fleet.programs[1:] if fleet else []:
            if program.program:
                program.program.stop()
        world.close()


def describe(parser):
    parser.add_argument("--database", choices=["sqlite", "mariadb"], default="sqlite")


if __name__ == "__main__":
    raise SystemExit(main(overdraft, describe))
