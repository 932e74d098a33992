"""The protocols that callers speak: how each asks, and what it was told, its form checked to the letter.

A `Told` is one answer as a strict client understands it: `kind` is complete, breaks (an error event behind the
beginning), refused, fails, or a sentence that says what is wrong with it."""

import json
from dataclasses import dataclass, field

from bad_input import shape_of

REFUSED, FAILED = (400, 413, 429), (502, 503, 504, 529)


@dataclass
class Told:
    kind: str = ""
    text: str = ""
    reasoning: str = ""
    finish: str = ""  # as the protocol says it
    error: tuple = ()  # (type, code)
    usage: dict = field(default_factory=dict)  # the protocol's own
    ids: set = field(default_factory=set)
    seams: list = field(default_factory=list)

    @property
    def tokens(self):
        """(prompt, completion) as the caller was told."""
        u = self.usage
        if "prompt_tokens" in u:
            return u["prompt_tokens"], u["completion_tokens"]
        cached = u.get("cache_read_input_tokens", 0) + u.get("cache_creation_input_tokens", 0)
        return u.get("input_tokens", 0) + cached, u.get("output_tokens", 0)


class Wrong(Exception):
    """What a strict client would stumble over."""


def must(holds, what):
    if not holds:
        raise Wrong(what)


def sse(body):
    """[(event name or None, data)]; comments are skipped, each block must be whole."""
    text = body.decode()
    must(text == "" or text.endswith("\n\n"), "the stream ends inside an event")
    events = []
    for block in text.split("\n\n"):
        name, data = None, None
        for line in block.split("\n"):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                must(data is None, "two data lines in one event")
                data = line[6:]
            else:
                must(line == "" or line.startswith(":"), f"a strange line: {line[:40]}")
        if data is not None:
            events.append((name, data))
    must(events, "a silent empty stream")
    return events


def named(events):
    """The events' data, whose type must be their name."""
    all_of = []
    for name, data in events:
        value = json.loads(data)
        must(value.get("type") == name, f"an event {name} of type {value.get('type')}")
        all_of.append(value)
    return all_of


class Chat:
    """OpenAI's chat completions: the house's own."""

    name, path, recorded = "chat", "/v1/chat/completions", "chat_completions"
    finishes = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}

    def body(self, model, stream, max_tokens=None, tools=None, prompt="Say it.", **more):
        asked = {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": stream, **more}
        if stream:
            asked["stream_options"] = {"include_usage": True}
        if max_tokens:
            asked["max_tokens"] = max_tokens
        if tools:
            asked["tools"] = [{"type": "function", "function": {"name": t, "parameters": {"type": "object",
                                                                                        "properties": {}}}}
                              for t in tools]
        return asked

    def headers(self, key):
        return {"Authorization": f"Bearer {key}", "X-DeepPool-Show-Seams": "1"}

    def status(self, house):
        """What is answered where the house says `house`."""
        return house

    def error(self, body):
        kind, _, code = shape_of(body)
        must(code is not None, kind)
        return kind, code

    def whole(self, body, told):
        answer = json.loads(body)
        must("error" not in answer, "an error with status 200")
        must(answer["object"] == "chat.completion", f"an {answer.get('object')}")
        for choice in answer["choices"][:1]:
            told.text, told.finish = choice["message"].get("content") or "", choice["finish_reason"]
            told.reasoning = choice["message"].get("reasoning_content") or ""
        told.usage = answer["usage"]

    def stream(self, body, told):
        """Whether it is complete; else it breaks."""
        events = [data for _, data in sse(body)]
        if events[-1] != "[DONE]":
            must(events[-1].startswith('{"error":'), "a silent end")
            told.error = self.error(events.pop())
        roles = 0
        for data in events[:None if told.error else -1]:
            chunk = json.loads(data)
            must("error" not in chunk, "an error event, and the stream goes on")
            told.ids.add(chunk["id"])
            told.usage = chunk.get("usage") or told.usage
            told.seams += chunk.get("deeppool", {}).get("seams", [])
            for choice in chunk["choices"]:
                must(not told.finish or not choice["delta"].get("content"), "words behind the finish reason")
                told.text += choice["delta"].get("content") or ""
                told.reasoning += choice["delta"].get("reasoning_content") or ""
                roles += "role" in choice["delta"]
                must(not (told.finish and choice.get("finish_reason")), "two finish reasons")
                told.finish = choice.get("finish_reason") or told.finish
        must(len(told.ids) <= 1 and roles <= 1, f"ids {told.ids}, {roles} roles")
        must(told.error or (told.finish and told.usage), "an end without a finish reason or usage")
        return not told.error


class Messages:
    """Anthropic's Messages API."""

    name, path, recorded = "messages", "/v1/messages", "messages"
    finishes = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
    types = {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 404: "not_found_error",
             413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 502: "api_error",
             504: "timeout_error", 529: "overloaded_error"}

    def body(self, model, stream, max_tokens=None, tools=None, prompt="Say it.", **more):
        asked = {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": stream,
                 "max_tokens": max_tokens or 24, **more}
        if tools:
            asked["tools"] = [{"name": t, "input_schema": {"type": "object", "properties": {}}} for t in tools]
        return asked

    def headers(self, key):
        return {"x-api-key": key, "anthropic-version": "2023-06-01", "Authorization": None}

    def status(self, house):
        return 529 if house == 503 else house

    def error(self, body, status=None):
        answer = json.loads(body)
        error = answer.get("error", {})
        must(set(answer) == {"type", "error", "request_id"} and answer["type"] == "error",
             f"an error's members: {sorted(answer)}")
        must({"type", "message"} <= set(error) <= {"type", "message", "param"} and error["message"], f"{error}")
        must(status is None or self.types.get(status) == error["type"], f"status {status} with {error['type']}")
        return error["type"], error["type"]

    def whole(self, body, told):
        answer = json.loads(body)
        must(answer["type"] == "message" and answer["role"] == "assistant", f"a {answer.get('type')}")
        must({"id", "model", "content", "stop_reason", "stop_sequence", "usage"} <= set(answer), f"{sorted(answer)}")
        for block in answer["content"]:
            told.text += block.get("text", "")
            told.reasoning += block.get("thinking", "")
        told.finish, told.usage = answer["stop_reason"], answer["usage"]

    def stream(self, body, told):
        events = named(sse(body))
        if events[-1]["type"] == "error":
            told.error = self.error(json.dumps(events.pop()))
        open_block, blocks, over = None, 0, False
        for number, event in enumerate(events):
            kind = event["type"]
            must((kind == "message_start") == (number == 0), f"{kind} is event {number}")
            must(not over or kind == "message_stop", f"{kind} behind message_delta")
            if kind == "message_start":
                told.ids.add(event["message"]["id"])
                must(event["message"]["content"] == [] and event["message"]["usage"], "a strange message_start")
            elif kind == "content_block_start":
                must(open_block is None and event["index"] == blocks, f"block {event['index']} of {blocks}")
                open_block, blocks = event["content_block"]["type"], blocks + 1
            elif kind == "content_block_delta":
                must(open_block and event["index"] == blocks - 1, "a delta outside its block")
                self._delta(event["delta"], open_block, told)
            elif kind == "content_block_stop":
                must(open_block and event["index"] == blocks - 1, "a stop outside its block")
                open_block = None
            elif kind == "message_delta":
                must(open_block is None, "message_delta inside a block")
                told.finish, told.usage, over = event["delta"]["stop_reason"], event["usage"], True
            else:
                must(kind == "message_stop" and number == len(events) - 1 and over, f"{kind} in the middle")
        must(bool(told.error) != (events[-1]["type"] == "message_stop"), "a silent end")
        return not told.error

    @staticmethod
    def _delta(delta, block, told):
        wanted = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking",
                  "input_json_delta": "tool_use"}
        must(wanted.get(delta["type"]) == block, f"a {delta['type']} in a {block}")
        told.text += delta.get("text", "")
        told.reasoning += delta.get("thinking", "")


class Responses:
    """OpenAI's Responses API."""

    name, path, recorded = "responses", "/v1/responses", "responses"
    finishes = {"stop": "completed", "length": "incomplete", "tool_calls": "completed"}

    def body(self, model, stream, max_tokens=None, tools=None, prompt="Say it.", **more):
        asked = {"model": model, "input": prompt, "stream": stream, **more}
        if max_tokens:
            asked["max_output_tokens"] = max_tokens
        if tools:
            asked["tools"] = [{"type": "function", "name": t, "parameters": {"type": "object", "properties": {}}}
                              for t in tools]
        return asked

    def headers(self, key):
        return {"Authorization": f"Bearer {key}"}

    status = Chat.status
    error = Chat.error

    def whole(self, body, told):
        answer = json.loads(body)
        must(answer["object"] == "response" and answer["status"] in ("completed", "incomplete"),
             f"a {answer.get('object')}, {answer.get('status')}")
        self._take(answer, told)

    def _take(self, answer, told):
        must(answer["error"] is None, "an error beside an answer")
        for item in answer["output"]:
            if item["type"] == "message":
                told.text += "".join(part.get("text", "") for part in item["content"])
            if item["type"] == "reasoning":
                told.reasoning += "".join(part["text"] for part in item["summary"] + item.get("content", []))
        told.finish, told.usage = answer["status"], answer["usage"]

    def stream(self, body, told):
        events = named(sse(body))
        must([e["sequence_number"] for e in events] == list(range(len(events))), "numbers out of order")
        must([e["type"] for e in events[:2]] == ["response.created", "response.in_progress"], "a strange beginning")
        seen, parts = {}, {"text": "", "reasoning": ""}
        for event in events[2:-1]:
            self._middle(event, seen, parts)
        last = events[-1]
        response = last["response"]
        told.ids = {e["response"]["id"] for e in events if "response" in e}
        must(len(told.ids) == 1, f"ids {told.ids}")
        told.text, told.reasoning = parts["text"], parts["reasoning"]
        if last["type"] == "response.failed":
            must(events[-2]["type"] == "error" and response["error"]["code"], "response.failed without its error")
            must(response["status"] == "failed", response["status"])
            told.error = events[-2]["error"]["type"], events[-2]["code"]
            return False
        must(last["type"] in ("response.completed", "response.incomplete"), "a silent end")
        must(last["type"] == f"response.{response['status']}", f"{last['type']} with {response['status']}")
        must(all(seen.values()), f"items that never ended: {seen}")
        whole = Told()
        self._take(response, whole)
        must((whole.text, whole.reasoning) == (told.text, told.reasoning), "the response is not its events")
        told.finish, told.usage = whole.finish, whole.usage
        return True

    @staticmethod
    def _middle(event, seen, parts):
        kind, index = event["type"], event.get("output_index")
        must(kind.startswith("response.") or kind == "error", f"{kind} in the middle")
        if kind == "response.output_item.added":
            must(index == len(seen) and all(seen.values()), f"item {index} of {len(seen)}")
            seen[index] = False
        elif kind == "response.output_item.done":
            must(seen.get(index) is False, f"item {index} ends twice")
            seen[index] = True
        elif kind != "error":
            must(seen.get(index) is False, f"{kind} outside its item")
        if kind == "response.output_text.delta":
            parts["text"] += event["delta"]
        elif kind in ("response.reasoning_text.delta", "response.reasoning_summary_text.delta"):
            parts["reasoning"] += event["delta"]


CALLERS = {caller.name: caller for caller in (Chat(), Messages(), Responses())}


def understand(caller, status, body, stream):
    told = Told()
    try:
        if status == 200 and stream:
            told.kind = "complete" if caller.stream(body, told) else "breaks"
        elif status == 200:
            caller.whole(body, told)
            told.kind = "complete"
        else:
            told.error = caller.error(body, status) if caller.name == "messages" else caller.error(body)
            told.kind = "refused" if status in REFUSED else "fails" if status in FAILED else f"status {status}"
    except Wrong as wrong:
        told.kind = str(wrong)
    except (ValueError, KeyError, TypeError) as broken:
        told.kind = f"not understood: {type(broken).__name__} {broken}"
    return told
