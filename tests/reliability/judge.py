"""Compares what clients saw, what the mock sent and what the database holds, by x-request-id."""

import json
import subprocess
from collections import defaultdict

FREE = {"broke_midstream", "crash_settled", "client_aborted", "failed_before_first_byte"}  # may never have reached the upstream


def short(request_id):
    return request_id.replace("-", "").lower()


def mock_truth(world):
    truth = defaultdict(list)
    for line in (world.folder / "mock.jsonl").open():
        record = json.loads(line)
        truth[short(record["request_id"])].append(record)
    return truth


def usage_rows(world):
    """request id -> (outcome, prompt tokens, completion tokens, usage source)"""
    rows = world.store.rows("SELECT LOWER(HEX(request_id)), outcome, prompt_tokens, completion_tokens,"
                            " usage_source FROM usage_records")
    table = {r[0]: (r[1], int(r[2]), int(r[3]), r[4]) for r in rows}
    if len(table) != len(rows):
        raise AssertionError("a request id has two rows")
    return table


def judge_requests(verdict, journal, rows, truth):
    """Every request that its client saw complete has its one row, with the mock's numbers."""
    lost, wrong, seen = [], [], 0
    for line in journal:
        whole = line["end"] == "completed" and line["status"] == 200 and not line["error_event"]
        if not whole:
            continue
        seen += 1
        request = short(line["request_id"])
        row = rows.get(request)
        if row is None:
            lost.append(request)
            continue
        sent = [(r["prompt_tokens"], r["completion_tokens"]) for r in truth[request]
                if r["end"] == "completed"]
        exact = row[3] == "estimated" or (row[1], row[2]) in sent
        if row[0] != "completed" or not sent or not exact:
            wrong.append((request, row, sent))
    verdict.expect(not lost, f"each of {seen} requests seen complete has its row", f"{len(lost)} lost {lost[:3]}")
    verdict.expect(not wrong, "their rows say completed and the mock's tokens", f"{len(wrong)} wrong {wrong[:3]}")
    return seen


def judge_rows(verdict, rows, truth, refused=()):
    """No row is invented, none says more than was sent, and refused requests have none."""
    invented = [i for i, row in rows.items()
                if i not in truth and (row[0] not in FREE or row[1] or row[2])]
    verdict.expect(not invented, f"none of {len(rows)} rows is of a request that the upstream never had",
                   f"{len(invented)} {[rows[i] for i in invented[:3]]}")
    charged = [i for i in map(short, refused) if i in rows]
    verdict.expect(not charged, "refused requests have no row", f"{len(charged)} of {len(refused)}")


def judge_sums(verdict, store):
    """The key's counter and the daily sums are the sums of the rows."""
    by_row = store.rows("SELECT key_id, COUNT(*), SUM(prompt_tokens), SUM(completion_tokens)"
                        " FROM usage_records GROUP BY key_id ORDER BY key_id")
    by_day = store.rows("SELECT key_id, SUM(requests), SUM(prompt_tokens), SUM(completion_tokens)"
                        " FROM token_usage_daily GROUP BY key_id ORDER BY key_id")
    verdict.expect(by_row == by_day, "token_usage_daily is the sum of the rows", f"{by_day} of {by_row}")
    used = store.rows("SELECT id, quota_used FROM api_keys WHERE quota_used > 0 ORDER BY id")
    total = [(key, str(int(prompt) + int(completion))) for key, _, prompt, completion in by_row]
    verdict.expect(used == total, "api_keys.quota_used is the sum of the rows", f"{used}")


def judge_books(verdict, world, journal=(), truth=None):
    """`deeppool ledger verify` proves the twelve statements, with what clients saw as its journal."""
    told = world.folder / "verify-journal"
    with told.open("w") as out:
        for line in journal:
            sent = {(r["prompt_tokens"], r["completion_tokens"]) for r in truth[short(line["request_id"])]
                    if r["end"] == "completed"}
            if len(sent) == 1:
                out.write("{} {} {}\n".format(line["request_id"], *sent.pop()))
    command = [world.build / "bin/deeppool", "--config", world.config_file, "ledger", "verify", "--journal", told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    verdict.expect(done.returncode == 0, "the ledger proves itself", done.stdout + done.stderr
                   if done.returncode else f"{len(told.read_text().splitlines())} journalled")


def judge_leaks(verdict, world):
    leaks = world.leaks()
    verdict.expect(not leaks, "no key, password or session stands anywhere in clear", leaks or "0 hits")
