#!/usr/bin/env python3
"""What a caller can get wrong, each with its precise answer: status, OpenAI's error shape, the field at fault."""

import json
import os
import socket
import time

from judge import judge_leaks
from world import World, main

MODEL = "mock-ok"
SLASHED = "org/mock-ok v1:2"
SECONDS = 15
MIB = 1 << 20


def raw(world, data, shut=False):
    """Sends bytes as they are; (status, headers, body, whether the server closed)."""
    with socket.create_connection(("127.0.0.1", world.port), timeout=SECONDS) as peer:
        try:
            peer.sendall(data)
        except OSError:
            pass  # an early answer may be waiting all the same
        answer = b""
        peer.settimeout(1)
        closed = False
        try:
            while piece := peer.recv(65536):
                answer += piece
            closed = True
        except TimeoutError:
            pass
        except OSError:
            closed = True
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode(errors="replace").split("\r\n")
    status = int(lines[0].split(" ")[1]) if lines[0].startswith("HTTP/1.") else 0
    return status, dict((k.lower(), v) for k, _, v in (h.partition(": ") for h in lines[1:])), body, closed


def shape_of(body):
    """(type, param, code) of an OpenAI error, or what is wrong with it."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return f"no error object: {body[:100]}", None, None
    if set(error) != {"message", "type", "param", "code"} or not error["message"]:
        return f"members: {sorted(error)}", None, None
    return error["type"], error["param"], error["code"]


class Matrix:
    def __init__(self, world, verdict):
        self.world, self.verdict, self.shown = world, verdict, 0

    def judge(self, name, answer, status, param=None, code=None, header=None):
        """Silent when right: there are many rows."""
        got, headers, body = answer[:3]
        kind, got_param, got_code = shape_of(body)
        wrong = []
        if got != status:
            wrong.append(f"status {got}, wanted {status}")
        if got_param != param:
            wrong.append(f"param {got_param!r}, wanted {param!r}")
        if code and got_code != code:
            wrong.append(f"code {got_code!r}, wanted {code!r}")
        if kind is None or "_" not in kind:
            wrong.append(f"shape: {kind}")
        if header and header not in headers:
            wrong.append(f"no header {header}")
        if "x-request-id" not in headers:
            wrong.append("no x-request-id")
        self.shown += 1
        if wrong:
            self.verdict.expect(False, name, f"{'; '.join(wrong)} {body[:160]}")

    def body(self, name, body, status=400, param=None, path="/v1/chat/completions", **more):
        self.judge(name, self.world.call("POST", path, body, timeout=SECONDS), status, param, **more)


def chat(**fields):
    return {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], **fields}


def fields(matrix):
    strings = ["user", "verbosity", "service_tier", "prompt_cache_key", "reasoning_effort", "safety_identifier",
               "prompt_cache_retention"]
    numbers = ["temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "top_logprobs",
               "max_tokens", "max_completion_tokens", "n"]
    booleans = ["stream", "store", "logprobs", "enable_thinking", "parallel_tool_calls"]
    objects = ["audio", "logit_bias", "metadata", "prediction", "response_format", "stream_options",
               "web_search_options", "tool_choice", "function_call"]
    arrays = ["tools", "functions", "modalities", "messages"]
    wrong = {"a string": strings, "a number": numbers, "a boolean": booleans, "an object": objects,
             "an array": arrays}
    values = {"a string": 5, "a number": "five", "a boolean": "yes", "an object": [1], "an array": {"a": 1}}
    for kind, names in wrong.items():
        for name in names:
            matrix.body(f"{name} is not {kind}", chat(**{name: values[kind]}), param=name)
    for name in ("n", "max_tokens", "max_completion_tokens"):
        for value in (0, -1, 1.5, 2 ** 31 + 1, 2 ** 63, 2 ** 64 - 1, 10 ** 30, True, 18446744073686646784):
            matrix.body(f"{name} = {value}", chat(**{name: value}), param=name)
    matrix.body("model is a number", chat(model=5), param="model")
    matrix.body("model is empty", chat(model=""), param="model")
    matrix.body("model of 10,000 bytes", chat(model="m" * 10000), param="model")
    matrix.body("model is unknown", chat(model="nobody's"), 404, param="model", code="model_not_found")
    matrix.body("no model", {"messages": [{"role": "user", "content": "x"}]}, param="model")
    matrix.body("no messages", {"model": MODEL}, param="messages")
    matrix.body("messages is empty", chat(messages=[]), param="messages")
    matrix.body("a message is a string", chat(messages=["hi"]), param="messages[0]")
    matrix.body("a message without role", chat(messages=[{"content": "x"}]), param="messages[0].role")
    matrix.body("content is a number", chat(messages=[{"role": "user", "content": 5}]),
                param="messages[0].content")
    matrix.body("nine stop sequences", chat(stop=list("abcdefghi")), param="stop")
    matrix.body("stop holds a number", chat(stop=["a", 5]), param="stop[1]")
    matrix.body("stream_options without stream", chat(stream_options={"include_usage": True}),
                param="stream_options")
    matrix.body("include_usage is a string", chat(stream=True, stream_options={"include_usage": "yes"}),
                param="stream_options.include_usage")
    matrix.body("embeddings without input", {"model": MODEL}, param="input", path="/v1/embeddings")
    matrix.body("embeddings of an object", {"model": MODEL, "input": {}}, param="input", path="/v1/embeddings")
    matrix.body("embeddings in hex", {"model": MODEL, "input": "x", "encoding_format": "hex"},
                param="encoding_format", path="/v1/embeddings")
    matrix.body("completions without prompt", {"model": MODEL}, param="prompt", path="/v1/completions")


def texts(matrix):
    good = json.dumps(chat())
    head = good[:-1].encode()
    rows = {"empty body": b"", "not JSON": b"hello", "half of it": good[:20].encode(), "two texts": 2 * good.encode(),
            "a trailing comma": head + b",}", "single quotes": good.replace('"', "'").encode(),
            "NaN": head + b',"temperature":NaN}', "Infinity": head + b',"temperature":Infinity}',
            "a leading zero": head + b',"seed":01}', "a comment": b"/**/" + good.encode(),
            "invalid UTF-8": good.replace("hi", "\udcff").encode(errors="surrogateescape"),
            "an overlong slash": good.encode().replace(b"hi", b"\xc0\xaf"),
            "half a surrogate, raw": good.encode().replace(b"hi", b"\xed\xa0\x80"),
            "a raw control character": good.encode().replace(b"hi", b"\x01"),
            "a NUL at the end": good.encode() + b"\0", "an array": b"[1]", "a string": b'"x"', "null": b"null",
            "100,000 open brackets": head + b',"x":' + b"[" * 100000,
            "100 levels": head + b',"x":' + b"[" * 100 + b"]" * 100 + b"}"}
    for name, text in rows.items():
        matrix.body(name, text)
    matrix.body("a number out of range", head + b',"temperature":1e999}', param="temperature")
    matrix.body("a key twice", head + b',"stream":true,"stream":false}', param="stream")
    matrix.body("model twice", head + b',"model":"other"}', param="model")
    matrix.body("model twice, escaped", head + b',"mod\\u0065l":"other"}', param="model")


def keys(matrix):
    w = matrix.world
    rows = {"no key": {}, "an unknown key": {"Authorization": "Bearer dp-" + "A" * 43},
            "an empty bearer": {"Authorization": "Bearer "}, "Basic": {"Authorization": "Basic dXNlcjpwYXNz"},
            "the key without Bearer": {"Authorization": w.key}, "a key cut short": {"Authorization": f"Bearer {w.key[:-1]}"},
            "a key too long": {"Authorization": f"Bearer {w.key}A"},
            "a key of 8,000 bytes": {"Authorization": "Bearer " + "k" * 8000},
            "an unknown x-api-key": {"x-api-key": "dp-nobody"}, "an empty x-api-key": {"x-api-key": ""},
            "SQL": {"Authorization": "Bearer ' OR 1=1 --"}, "two keys": {"Authorization": f"Bearer {w.key} {w.key}"},
            "api-key": {"api-key": w.key}}
    for name, headers in rows.items():
        for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models")):
            given = {"Authorization": None, **headers}
            body = chat() if method == "POST" else None
            matrix.judge(f"{name} at {path}", w.call(method, path, body, given), 401, code="invalid_api_key")
    for name, headers in {"bearer in small letters": {"Authorization": f"bearer {w.key}"},
                          "x-api-key": {"Authorization": None, "x-api-key": w.key},
                          "blanks around": {"Authorization": f"Bearer  {w.key} "}}.items():
        status = w.call("POST", "/v1/chat/completions", chat(), headers)[0]
        matrix.verdict.expect(status == 200, f"accepted: {name}", status)


def limits(matrix):
    """What a key may not do says when to come back, or never; SDKs follow no hint of a minute."""
    w = matrix.world

    def ask(**limit):
        key = w.admin("apikeys", {"name": "limited", **limit})["full_key"]
        return lambda: w.call("POST", "/v1/chat/completions", chat(max_tokens=5),
                              {"Authorization": f"Bearer {key}"})

    once = ask(rate_limit_rpm=1)
    matrix.verdict.expect(once()[0] == 200, "the first of one request per minute")
    second = once()
    matrix.judge("the second", second, 429, code="rate_limit_exceeded", header="retry-after-ms")
    matrix.verdict.expect(1 <= int(second[1]["retry-after"]) < 60, "its hint is one that SDKs follow",
                          second[1]["retry-after"])
    never = ask(rate_limit_tpm=2)()
    matrix.judge("a request above the key's tokens per minute", never, 429, param="max_tokens",
                 code="rate_limit_exceeded", header="x-should-retry")
    matrix.verdict.expect("retry-after" not in never[1], "which has no hint")


def paths(matrix):
    w, rows = matrix.world, [("GET", "/v1/nothing"), ("POST", "/"), ("GET", "/v1/chat"), ("GET", "/%2e%2e/etc/passwd"),
                             ("POST", "/v1/chat/completions/more"), ("GET", "/v1/models/a/b/c")]
    for method, path in rows:
        matrix.judge(f"{method} {path}", w.call(method, path), 404)
    for method, path in (("GET", "/v1/chat/completions"), ("DELETE", "/v1/models"), ("PUT", "/v1/embeddings"),
                         ("PATCH", "/v1/completions"), ("BREW", "/v1/chat/completions")):
        matrix.judge(f"{method} {path}", w.call(method, path), 405, header="allow")
    matrix.judge("an unknown model", w.call("GET", "/v1/models/nobody"), 404, "model", "model_not_found")
    quoted = SLASHED.replace("/", "%2F").replace(" ", "%20").replace(":", "%3A")
    for path in (quoted, quoted.replace("%2F", "%2f"), quoted.replace("%3A", ":")):
        status, _, body = w.call("GET", f"/v1/models/{path}")
        matrix.verdict.expect(status == 200 and json.loads(body)["id"] == SLASHED, f"a percent-encoded model: {path}",
                              status)
    matrix.judge("a model with a NUL", w.call("GET", "/v1/models/a%00b"), 404, "model")
    for path in ("%", "%zz"):  # no text at all
        matrix.judge(f"model {path}", w.call("GET", f"/v1/models/{path}"), 404)


def framing(matrix):
    w, good = matrix.world, json.dumps(chat()).encode()
    start = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {w.key}\r\n".encode()
    length = b"Content-Length: %d\r\n" % len(good)
    chunked = b"Transfer-Encoding: chunked\r\n"
    one_chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(good), good)
    # name -> (bytes, status); all of these end the connection
    rows = {
        "length and chunked": (start + length + chunked + b"\r\n" + one_chunk, 400),
        "two lengths": (start + length + b"Content-Length: 5\r\n\r\n" + good, 400),
        "a length with a sign": (start + b"Content-Length: +5\r\n\r\nhello", 400),
        "a negative length": (start + b"Content-Length: -1\r\n\r\n", 400),
        "a length of 20 digits": (start + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
        "gzip, chunked": (start + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 400),
        "chunked twice": (start + chunked + chunked + b"\r\n" + one_chunk, 400),
        "a chunk of no size": (start + chunked + b"\r\nzz\r\n", 400),
        "a chunk of 17 digits": (start + chunked + b"\r\n11111111111111111\r\n", 400),
        "a bare line feed": (b"GET /v1/models HTTP/1.1\nHost: x\n\n", 400),
        "a blank before the colon": (start + b"Content-Length : 5\r\n\r\nhello", 400),
        "a folded line": (start + b"X-A: b\r\n c\r\n\r\n", 400),
        "no Host": (b"GET /v1/models HTTP/1.1\r\n\r\n", 400),
        "two Hosts": (b"GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        "a NUL in a header": (start + b"X-A: \0\r\n\r\n", 400),
        "HTTP/2.0": (b"GET /v1/models HTTP/2.0\r\nHost: x\r\n\r\n", 400),
        "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
        "10,000 headers": (start + b"".join(b"x-h-%d: 1\r\n" % i for i in range(10000)) + b"\r\n", 431),
        "129 headers": (start + b"".join(b"x-%d: 1\r\n" % i for i in range(129)) + b"\r\n", 431),
        "a header line of 1 MB": (start + b"X-A: " + b"a" * MIB + b"\r\n\r\n", 431),
        "a path of 20,000 bytes": (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    }
    for name, (data, status) in rows.items():
        answer = raw(w, data)
        matrix.judge(name, answer, status, param=shape_of(answer[2])[1])
        if not answer[3]:
            matrix.verdict.expect(False, f"{name}: the connection is closed")
    smuggled = raw(w, start + length + chunked + b"\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
    matrix.verdict.expect(smuggled[2].count(b"HTTP/1.1") == 0, "nothing behind an ambiguous request is answered")
    twice = raw(w, (b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % w.key.encode()) * 2)
    matrix.verdict.expect(twice[2].count(b"HTTP/1.1 200") == 1, "two requests in one piece are both answered")


def sizes(matrix):
    w = matrix.world
    body = json.dumps(chat(user="x" * (100 * MIB))).encode()
    before = w.resident_bytes()
    matrix.body("a body of 100 MB", body, 413)
    head = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {w.key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    matrix.judge("the same, sent before it is looked at", raw(w, head + body), 413)
    chunked = head.replace(f"Content-Length: {len(body)}".encode(), b"Transfer-Encoding: chunked")
    pieces = b"".join(b"100000\r\n%s\r\n" % body[i:i + MIB] for i in range(0, 99 * MIB, MIB))
    matrix.judge("the same, chunked", raw(w, chunked + pieces + b"0\r\n\r\n"), 413)
    grown = w.resident_bytes() - before
    matrix.verdict.expect(grown < 160 * MIB, "memory after three of them", f"{grown / 1e6:.1f} MB more")


def bad_input(options, verdict):
    """What a caller can get wrong."""
    world = World(options.build, [MODEL, SLASHED])
    matrix = Matrix(world, verdict)
    # A sanitizer keeps freed memory back to find its late users; more than a body of it would judge that.
    asan = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=16:allocator_release_to_os_interval_ms=0"
    try:
        world.start({"ASAN_OPTIONS": asan} if options.sanitized else None)
        for group in (fields, texts, keys, limits, paths, framing, sizes):
            before, failed, began = matrix.shown, verdict.failed, time.monotonic()
            group(matrix)
            verdict.expect(verdict.failed == failed, f"{group.__name__}: {matrix.shown - before} rows",
                           f"{time.monotonic() - began:.1f} s")
        verdict.expect(world.chat(MODEL)[0] == 200, "and the next good request is served")
        world.end(verdict)
        rows = world.store.rows("SELECT COUNT(*), SUM(CASE WHEN outcome = 'completed' THEN 1 ELSE 0 END)"
                                " FROM usage_records")
        verdict.expect(rows == [("5", "5")], "only what was served is stored", rows)
        judge_leaks(verdict, world)
    finally:
        world.close()


if __name__ == "__main__":
    raise SystemExit(main(bad_input, lambda parser: None))
