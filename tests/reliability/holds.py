#!/usr/bin/env python3
"""What is held bounds what is charged: whatever a request has inside that a provider may charge for, its owner's
balance never goes below nothing. The provider here writes as long as it is allowed to, and takes `max_tokens` for its
only bound."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from judge import short
from world import World, main

PRICE = [{"input_price": "1000", "output_price": "1000"}]
BALANCE = 3  # yuan: 3,000 tokens
SEEN_SECONDS = 10  # until a credit must count
PAGES = 200_000  # tokens that a document costs
CONTEXT = 2000
DOCUMENT = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
LONG = "x y " * 50_000


class Greedy(BaseHTTPRequestHandler):
    """A server whose usage is what the request may cost at most."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompts = body.get("prompt", "")
        lists = isinstance(prompts, list) and not isinstance(prompts[0], int)
        choices = (len(prompts) if lists else 1) * max(body.get("n") or 1, body.get("best_of") or 1)
        words = json.dumps(body).count("x y ")
        document = min(PAGES, CONTEXT if body["model"] == "short" else PAGES) if '"file"' in json.dumps(body) else 0
        picture = 2000 if '"image_url"' in json.dumps(body) else 0
        usage = {"prompt_tokens": max(1, words + document + picture),
                 "completion_tokens": choices * (body.get("max_tokens") or 50_000)}
        usage["total_tokens"] = sum(usage.values())
        choice = {"index": 0, "finish_reason": "length", "text": "w", "message": {"role": "assistant", "content": "w"}}
        answer = json.dumps({"id": "x", "object": "x", "created": 1, "model": body["model"], "choices": [choice],
                             "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def chat(content="Say it.", **more):
    return "/v1/chat/completions", {"messages": [{"role": "user", "content": content}], "max_tokens": 1, **more}


def complete(**more):
    return "/v1/completions", {"prompt": "x", "max_tokens": 1, **more}


REFUSED, SERVED = 429, 200
CASES = (
    ("capped", SERVED, "more tokens than the model gives", chat(max_tokens=20_000)),
    ("open", REFUSED, "ten prompts", complete(prompt=["x"] * 10, max_tokens=1000)),
    ("open", REFUSED, "ten prompts of token ids", complete(prompt=[[1, 2]] * 10, max_tokens=1000)),
    ("open", SERVED, "one prompt of token ids", complete(prompt=[1, 2] * 10, max_tokens=1000)),
    ("open", REFUSED, "the best of ten", complete(best_of=10, max_tokens=1000)),
    ("open", SERVED, "two limits", chat(max_tokens=50_000, max_completion_tokens=1)),
    ("open", REFUSED, "a document", chat([DOCUMENT])),
    ("short", SERVED, "a document for a short context", chat([DOCUMENT])),
    ("open", REFUSED, "a picture", chat([PICTURE])),
    ("open", REFUSED, "a long call of a function", chat(messages=[
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": LONG}}])),
    ("open", REFUSED, "a long suffix", complete(suffix=LONG)),
    ("open", REFUSED, "a long prediction", chat(prediction={"type": "content", "content": LONG})),
    ("open", REFUSED, "a long word that nobody knows", chat(documents=[LONG])),
)


def posted(world):
    rows = world.store.rows("SELECT posted FROM user_wallets WHERE user_id = 1")
    return int(rows[0][0]) / 10**10 if rows else 0.0


def settled(world, request_id):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if (short(request_id),) in world.store.rows("SELECT LOWER(HEX(request_id)) FROM usage_records"):
            return True
        time.sleep(0.02)
    return False


def fill(world, reference):
    """The balance is BALANCE again, and the program knows."""
    missing = BALANCE - posted(world)
    if abs(missing) < 1e-9:
        return
    world.admin("admin/users/1/wallet/adjustments",
                {"amount_yuan": f"{missing:.10f}", "reason": reference, "reference": reference})
    began = time.monotonic()
    path, body = chat()
    while time.monotonic() - began < SEEN_SECONDS:
        status, headers, _ = world.call("POST", path, {"model": "capped", **body})
        if status == 200 and settled(world, headers["x-request-id"]):
            return
        time.sleep(0.1)


def try_cases(world, verdict):
    for number, (model, wanted, what, (path, body)) in enumerate(CASES):
        fill(world, f"fill-{number}")
        before = posted(world)
        status, headers, answer = world.call("POST", path, {"model": model, **body})
        if status == 200:
            verdict.expect(settled(world, headers["x-request-id"]), f"{what}: is in the books")
        after = posted(world)
        verdict.expect(status == wanted and after >= 0, f"{what}: {'served' if wanted == SERVED else 'refused'}, and no debt",
                       f"{status}, {before:.3f} -> {after:.3f} {answer[:120] if status not in (200, 429) else ''}")


def holds(options, verdict):
    """Nothing costs more than was held for it."""
    world = World(options.build, [])
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Greedy)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    try:
        world.start()
        for name, more in (("open", {}), ("capped", {"max_output_tokens": 1000}),
                           ("short", {"max_context_length": CONTEXT})):
            endpoint = world.admin("admin/endpoints", {
                "name": name, "provider_type": "custom", "api_key": world.secrets["upstream key"],
                "endpoint": f"http://127.0.0.1:{upstream.server_address[1]}/v1", "upstream_model": name})["id"]
            world.admin("admin/models", {"model_name": name, "vendor_type": "provider", "endpoint_ids": [endpoint],
                                         "pricing_tiers": PRICE, **more})
        try_cases(world, verdict)
        world.end(verdict)
    finally:
        upstream.shutdown()
        world.close()


if __name__ == "__main__":
    raise SystemExit(main(holds, lambda parser: None))
