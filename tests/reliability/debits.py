#!/usr/bin/env python3
"""An administrator takes money from a user, and takes an overdraft back, while the user's requests run on every
program: what they do not hold can be taken, hardly a request fails of it, and nothing is taken that is not there."""

import json
import secrets
import time

from judge import judge_books
from overdraft import Fleet
from world import World, main

MODEL = "mock-ok:tokens=10,delay_ms=20"
PRICE = [{"max_input_tokens": 0, "input_price": 0, "output_price": 1000}]  # 0.01 yuan a request
RATE = 100  # requests a second at each program
KEPT = 40  # yuan; the rest of the load takes some 25
REFUSED = 0.02  # of the requests: on a busy machine some come while all leases are recalled
PATIENCE = 3.0  # seconds; the program waits for leases of all instances


class Admin:
    """What an administrator asks for user 1: (status, answer's data, seconds)."""

    def __init__(self, world):
        self.world, self.count = world, 0

    def _call(self, method, path, body=None):
        began = time.monotonic()
        status, _, answer = self.world.call(method, f"/api/v1/admin/users/1/{path}", body,
                                            {"Authorization": f"Bearer {self.world.secrets['session']}"})
        return status, json.loads(answer), time.monotonic() - began

    def move(self, yuan):
        self.count += 1
        return self._call("POST", "wallet/adjustments",
                          {"amount_yuan": str(yuan), "reason": "a test", "reference": f"n{self.count}"})

    def overdraft(self, yuan):
        return self._call("PUT", "billing", {"allow_overdraft": yuan > 0, "max_overdraft_yuan": str(yuan)})

    def balance(self):
        return float(self._call("GET", "billing")[1]["data"]["balance_yuan"])


def judge_taken(verdict, what, done):
    status, answer, seconds = done
    verdict.expect(status == 200 and seconds < PATIENCE, what, f"{status} {answer['message']}, {seconds:.2f} s")


def debits(options, verdict):
    """Money is taken from a user whose requests run."""
    world = World(options.build, [MODEL], options.database, start=False, prices={MODEL: PRICE})
    fleet = None
    try:
        world.config["admin"]["api_key_encryption_key"] = secrets.token_hex(32)
        world.config_file.write_text(json.dumps(world.config))
        world.prepare()
        fleet = Fleet(world, 3 if options.database == "mariadb" else 1)
        fleet.start()
        admin = Admin(world)
        judge_taken(verdict, "1000 yuan are given", admin.move(1000))
        judge_taken(verdict, "and an overdraft of 500", admin.overdraft(500))
        for number, program in enumerate(fleet.programs):
            program.load(f"load-{number}", MODEL, "--rate", RATE, "--connections", 32, "--duration", 14,
                         "--max-tokens", 10)
        time.sleep(2)
        judge_taken(verdict, "half of it is taken while requests run", admin.move(-500))
        time.sleep(1)
        judge_taken(verdict, "the overdraft is taken back", admin.overdraft(0))
        time.sleep(1)
        status, answer, seconds = admin.move(-1000)
        verdict.expect(status == 429 and seconds < PATIENCE, "more than there is cannot be taken",
                       f"{status} {answer['message']}")
        time.sleep(1)
        judge_taken(verdict, f"all but {KEPT} yuan are taken", admin.move(f"{KEPT - admin.balance():.2f}"))
        running = [load for load in world.loads if load.child.poll() is None]
        verdict.expect(len(running) == len(fleet.programs), "all that while requests ran")
        for number, load in enumerate(world.loads):
            load.child.wait(60)
            report = world.report(f"load-{number}")
            hardly = report["failed"] <= REFUSED * report["completed"] and report["completed"] > RATE
            verdict.expect(hardly, f"hardly a request failed of it at program {number}",
                           f"{report['completed']} completed, {report['failed']} failed")
        verdict.expect(fleet.stop() == [0] * len(fleet.programs), "the programs end well")
        judge_books(verdict, world)
    finally:
        for program in fleet.programs[1:] if fleet else []:
            if program.program:
                program.program.stop()
        world.close()


def describe(parser):
    parser.add_argument("--database", choices=["sqlite", "mariadb"], default="sqlite")


if __name__ == "__main__":
    raise SystemExit(main(debits, describe))
