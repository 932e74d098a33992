#!/usr/bin/env python3
"""A provider that says its usage before its answer: what was generated behind it is charged all the same, to callers
who stay, to those who leave, and after a crash."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from callers import CALLERS
from judge import short
from who_pays import Open, cost_in, overdraw, words
from world import World, main

PRICE = [{"input_price": "1000", "output_price": "1000"}]
WORDS = 200
PROMPT = 5
PROGRESS_SECONDS = 2  # how often a stream's progress is recorded


class Early(BaseHTTPRequestHandler):
    """Its first chunk says {5, 1}, and no other says anything; the model's name is the pause between words."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for number in range(1, WORDS + 1):
                usage = {"prompt_tokens": PROMPT, "completion_tokens": 1, "total_tokens": PROMPT + 1}
                self._say({"content": f" w{number}"}, None, usage if number == 1 else None)
                time.sleep(int(body["model"]) / 1000)
            self._say({}, "stop", None)
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            pass

    def _say(self, delta, finish, usage):
        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "x", "usage": usage,
                 "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_):
        pass


def row_of(world, request_id):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for row in world.store.rows("SELECT LOWER(HEX(request_id)), outcome, usage_source, prompt_tokens,"
                                    " completion_tokens FROM usage_records"):
            if row[0] == short(request_id):
                return (*row[1:3], int(row[3]), int(row[4]))
        time.sleep(0.02)
    return None


def judge(verdict, world, what, request_id, outcome, least):
    row = row_of(world, request_id)
    # Our tokenizer may make two tokens of one word.
    verdict.expect(row and row[:3] == (outcome, "estimated", PROMPT) and least <= row[3] <= 3 * WORDS,
                   f"{what} pays for what was generated", row)


def early_usage(options, verdict):
    """Usage that comes too early does not hide what comes behind it."""
    world = World(options.build, [])
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Early)
    upstream.daemon_threads = True
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    try:
        overdraw(world, 1000)
        world.start()
        for pause in ("1", "30"):
            endpoint = world.admin("admin/endpoints", {
                "name": pause, "provider_type": "custom", "api_key": world.secrets["upstream key"],
                "endpoint": f"http://127.0.0.1:{upstream.server_address[1]}/v1", "upstream_model": pause})["id"]
            world.admin("admin/models", {"model_name": pause, "vendor_type": "provider", "endpoint_ids": [endpoint],
                                         "pricing_tiers": PRICE})
        caller = CALLERS["chat"]
        stays = Open(world, caller, "1").head()
        said = stays.rest()
        judge(verdict, world, "who stays", stays.id, "completed", WORDS)
        verdict.expect(float(cost_in(said)) >= WORDS / 1000, "and was told so", cost_in(said))
        leaves = Open(world, caller, "30").head()
        seen = words(leaves.read_seconds(1))
        leaves.leave()
        judge(verdict, world, "who leaves", leaves.id, "client_aborted", seen)
        dies = Open(world, caller, "30").head()
        dies.read_seconds(PROGRESS_SECONDS + 1)
        world.kill()
        world.start()
        judge(verdict, world, "whom a crash cut off", dies.id, "crash_settled", 10)
        world.end(verdict)
    finally:
        upstream.shutdown()
        world.close()


if __name__ == "__main__":
    raise SystemExit(main(early_usage, lambda parser: None))
