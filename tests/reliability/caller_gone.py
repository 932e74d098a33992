#!/usr/bin/env python3
"""Callers hang up at a random byte of a stream: the upstream is let go at once, what was generated is
charged, and nothing stays behind."""

import asyncio
import json
import random
import re
import socket
import struct
import time

from judge import judge_leaks, judge_rows, judge_sums, mock_truth, short, usage_rows
from world import World, main, public, quantile

CHUNK_SECONDS = 0.02
STREAM = "mock-ok:tokens=500,chunk_ms=20"
NO_USAGE = "mock-no-usage:tokens=100"
PROBE = "mock-ok:tokens=1"
AT_ONCE = 50
LAST_BYTE = 12000
QUOTA = 2_000_000
PROMPT_BOUND = 100  # above what the probe's prompt is held for, below one stream's hold


def request_bytes(world):
    body = json.dumps({"model": public(STREAM), "stream": True, "max_tokens": 500,
                       "messages": [{"role": "user", "content": "Go on."}]}).encode()
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


async def cut_one(world, dice):
    """Returns (request id or None, Unix time of the cut)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    if dice.random() < 0.5:  # a reset rather than an orderly end
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                   struct.pack("ii", 1, 0))
    writer.write(request_bytes(world))
    last, seen = dice.randrange(LAST_BYTE), b""
    while len(seen) < max(last, 1):
        piece = await reader.read(last - len(seen) + 1)
        if not piece:
            raise RuntimeError(f"the stream ended by itself: {seen[-200:]}")
        seen += piece
    at = time.time()
    writer.transport.abort() if dice.random() < 0.5 else writer.close()
    head = seen.split(b"\r\n\r\n")[0].decode(errors="replace").lower()
    ids = [line.split(": ")[1] for line in head.split("\r\n")[1:] if line.startswith("x-request-id: ")]
    return (ids[0] if ids and len(ids[0]) == 36 else None), at


async def cut_all(world, count, dice):
    gate = asyncio.Semaphore(AT_ONCE)

    async def one():
        async with gate:
            return await cut_one(world, dice)

    return await asyncio.gather(*(one() for _ in range(count)))


def tokens_per_piece(world):
    """How many tokens DeepPool counts in one of the mock's words."""
    answer = json.loads(world.chat(NO_USAGE)[2])
    return answer["usage"]["completion_tokens"] / 100


def settled_descriptors(world):
    """Open files without the pooled connections to the upstream, once everything has ended."""
    deadline = time.monotonic() + 5
    while world.mock_stats()["running"] and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    return world.descriptors() - world.mock_stats()["open_connections"]


def judge_holds(world, verdict):
    """All of the quota that was not used can be had again, and not a token more."""
    time.sleep(0.5)  # the applier's round
    used = int(world.store.rows(f"SELECT quota_used FROM api_keys WHERE id = {world.key_id}")[0][0])
    over = world.chat(PROBE, max_tokens=QUOTA - used + 1)[0]
    status = world.chat(PROBE, max_tokens=QUOTA - used - PROMPT_BOUND)[0]
    verdict.expect((status, over) == (200, 429), "every hold was released (rest of the quota: 200, more: 429)",
                   f"{status}, {over}")


def judge_trace(world, verdict):
    """The caller's trace goes on to the upstream, under a parent of ours."""
    trace, parent = f"{random.getrandbits(128):032x}", "b7ad6b7169203331"
    world.call("POST", "/v1/chat/completions",
               {"model": public(PROBE), "messages": [{"role": "user", "content": "Say it."}]},
               {"traceparent": f"00-{trace}-{parent}-01"})
    heard = [r["traceparent"] for records in mock_truth(world).values() for r in records if trace in r["traceparent"]]
    verdict.expect(len(heard) == 1 and re.fullmatch(f"00-{trace}-[0-9a-f]{{16}}-01", heard[0]) and parent not in heard[0],
                   "the upstream hears the caller's trace", heard)


def judge_cuts(world, verdict, cuts, ratio):
    truth, rows = mock_truth(world), usage_rows(world)
    delays, off, wrong = [], [], []
    for request_id, at in cuts:
        if request_id is None:  # cut inside the head
            continue
        record = truth[short(request_id)][0]
        delays.append(record["ended_us"] / 1e6 - at)
        row = rows.get(short(request_id))
        pieces = row[2] / ratio if row else -1
        off.append(abs(pieces - record["completion_tokens"]))
        # The upstream goes on while the news travels; on a busy machine that can be more than a chunk.
        if off[-1] > 1 + delays[-1] / CHUNK_SECONDS:
            wrong.append((request_id, row, record))
    verdict.note("cuts joined with the mock's journal", len(delays))
    verdict.note("upstream closed after, ms (p50, p99, worst)",
                 ", ".join(f"{quantile(delays, q) * 1e3:.1f}" for q in (0.5, 0.99, 1)))
    verdict.expect(len(delays) > len(cuts) / 2 and quantile(delays, 1) < 2, "each upstream was let go within 2 s")
    verdict.expect(not wrong and quantile(off, 0.99) <= 1, "each bill is within one chunk of what was sent",
                   f"worst {max(off):.1f}, exact {off.count(0)} of {len(off)} {wrong[:2]}")
    outcomes = {row[0] for i, row in rows.items() if i in {short(r) for r, _ in cuts if r}}
    verdict.expect(outcomes == {"client_aborted"}, "their outcome", outcomes)
    judge_rows(verdict, rows, truth)


def caller_gone(options, verdict):
    """Callers hang up at a random byte of a stream."""
    world = World(options.build, [STREAM, NO_USAGE, PROBE], quota=QUOTA)
    try:
        world.start()
        ratio = tokens_per_piece(world)
        for _ in range(20):  # every loop has opened its files
            world.chat(PROBE)
        judge_trace(world, verdict)
        before = settled_descriptors(world)
        cuts = asyncio.run(cut_all(world, options.streams, random.Random(options.seed)))
        after = settled_descriptors(world)
        verdict.expect(after <= before + 4, "no descriptor is left", f"{before} before, {after} after")
        verdict.expect(world.mock_stats()["running"] == 0, "no request runs on upstream")
        judge_holds(world, verdict)
        gauges = (world.metric("deeppool_inflight"), world.metric("deeppool_spool_open_holds"))
        verdict.expect(gauges == (1, 0), "nothing is in flight but the scrape, and no hold is open", gauges)
        verdict.expect(world.metric("deeppool_db_query_seconds_count") > 0, "the database's work is measured")
        world.end(verdict)
        judge_cuts(world, verdict, cuts, ratio)
        judge_sums(verdict, world.store)
        judge_leaks(verdict, world)
    finally:
        world.close()


def describe(parser):
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)


if __name__ == "__main__":
    raise SystemExit(main(caller_gone, describe))
