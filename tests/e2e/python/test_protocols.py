"""Anthropic's Messages and OpenAI's Responses through their own SDKs, over an upstream that speaks neither."""

import json
import os
import uuid

import anthropic
import openai
import pytest
from deeppool_e2e.processes import public
from sdks import BASE_URL, DIRECT, KEY, client

pytestmark = pytest.mark.skipif(DIRECT, reason="the mock speaks chat completions here")

ROOT = BASE_URL.removesuffix("/v1")
TEXT = "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16"
ASKED = [{"role": "user", "content": "say sixteen words"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "get_weather", "description": "weather of a city", "input_schema": SCHEMA}
FUNCTION = {"type": "function", "name": "get_weather", "description": "weather of a city", "parameters": SCHEMA,
            "strict": False}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def claude(key=KEY, retries=0, bearer=False, **options):
    auth = {"auth_token": key, "api_key": None} if bearer else {"api_key": key}
    return anthropic.Anthropic(base_url=ROOT, max_retries=retries, timeout=20, **auth, **options)


def ask(model="mock-sixteen", sdk=None, **options):
    """Of a model that says sixteen words whatever its limit; other mocks use the whole of their limit."""
    return (sdk or claude()).messages.create(model=model, **{"messages": ASKED, "max_tokens": 100, **options})


@pytest.mark.parametrize("bearer", [False, True])
def test_message(bearer):
    answer = ask(sdk=claude(bearer=bearer), system="be brief")
    assert answer.content[0].text == TEXT and answer.stop_reason == "end_turn"
    assert answer.id.startswith("msg_") and answer.type == "message" and answer.model == "mock-sixteen"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 16)
    assert answer._request_id


def test_message_cut_short():
    assert ask("mock-ok", max_tokens=3).stop_reason == "max_tokens"


def test_message_stream():
    names, pieces, usage = [], [], None
    for event in ask(stream=True):
        names.append(event.type)
        if event.type == "content_block_delta":
            pieces.append(event.delta.text)
        if event.type == "message_delta":
            usage = event.usage
    assert "".join(pieces) == TEXT
    assert names[:2] == ["message_start", "content_block_start"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert (usage.input_tokens, usage.output_tokens) == (3, 16)


def test_message_stream_helper():
    with claude().messages.stream(model="mock-sixteen", max_tokens=100, messages=ASKED) as stream:
        assert "".join(stream.text_stream) == TEXT
        final = stream.get_final_message()
    assert final.content[0].text == TEXT and final.stop_reason == "end_turn"
    assert (final.usage.input_tokens, final.usage.output_tokens) == (3, 16)


@pytest.mark.parametrize("model", ["mock-tool-calls", "mock-tool-no-type", "mock-tool-no-index"])
def test_message_tool_loop(model):
    with claude().messages.stream(model=model, max_tokens=100, messages=ASKED, tools=[TOOL],
                                  tool_choice={"type": "auto", "disable_parallel_tool_use": True}) as stream:
        final = stream.get_final_message()
    call = final.content[-1]
    assert final.stop_reason == "tool_use" and call.type == "tool_use"
    assert call.name == "get_weather" and isinstance(call.input["city"], str)
    turns = ASKED + [final.to_param(), {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "sunny"}]}]}]
    answer = ask(model, messages=turns, tools=[TOOL])
    assert answer.content[0].type == "text" and answer.content[0].text


def test_message_whole_tool_call():
    answer = ask("mock-tool-calls", tools=[TOOL], tool_choice={"type": "tool", "name": "get_weather"})
    assert answer.stop_reason == "tool_use" and isinstance(answer.content[-1].input, dict)


def test_message_thinking_comes_and_goes_back():
    with claude().messages.stream(model="mock-reasoning", max_tokens=2000, messages=ASKED,
                                  thinking={"type": "enabled", "budget_tokens": 1024}) as stream:
        final = stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert final.content[0].thinking and final.usage.output_tokens_details.thinking_tokens > 0
    again = ask("mock-reasoning", messages=ASKED + [final.to_param()] + ASKED)
    assert again.content[-1].text


def test_message_pictures_arrive():
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    answer = ask("mock-vision", messages=[{"role": "user", "content": [picture, picture, {"type": "text", "text": "?"}]}])
    assert "2" in answer.content[0].text


def test_message_counted():
    counted = claude().messages.count_tokens(model="mock-ok", messages=ASKED, system="be brief", tools=[TOOL])
    assert 30 < counted.input_tokens < 80
    with pytest.raises(anthropic.NotFoundError):
        claude().messages.count_tokens(model="no-such-model", messages=ASKED)


def test_models_in_anthropics_shape():
    listed = claude().models.list(limit=1000)
    assert "mock-ok" in [model.id for model in listed.data]
    found = claude().models.retrieve("mock-ok")
    assert found.type == "model" and found.created_at.year > 2000
    with pytest.raises(anthropic.NotFoundError):
        claude().models.retrieve("no-such-model")


# title, key, model, options, the SDK's class, type, how often an SDK with two retries asks
REFUSALS = [
    ("bad-key", "dp-" + "x" * 43, "mock-ok", {}, anthropic.AuthenticationError, "authentication_error", 1),
    ("no-such-model", None, "no-such-model", {}, anthropic.NotFoundError, "not_found_error", 1),
    ("wrong-block", None, "mock-ok", {"messages": [{"role": "user", "content": [{"type": "hologram"}]}]},
     anthropic.BadRequestError, "invalid_request_error", 1),
    ("context-length", None, "mock-context-length", {}, anthropic.BadRequestError, "invalid_request_error", 1),
    ("spent-quota", "DEEPPOOL_E2E_QUOTA_KEY", "mock-ok", {}, anthropic.APIStatusError, "billing_error", 1),
    ("upstream-down", None, "mock-status-500", {}, anthropic.InternalServerError, "api_error", 3),
]


@pytest.mark.parametrize("key, model, options, kind, type, attempts",
                         [pytest.param(*row[1:], id=row[0]) for row in REFUSALS])
def test_message_refusals(key, model, options, kind, type, attempts):
    seen = []
    sdk = claude(os.environ.get(key, key) if key else KEY, 2,
                 http_client=anthropic.DefaultHttpxClient(event_hooks={"request": [lambda r: seen.append(r.url)]}))
    with pytest.raises(kind) as caught:
        ask(model, sdk, **options)
    assert len(seen) == attempts
    error = caught.value
    assert error.body["type"] == "error" and error.body["error"]["type"] == type
    assert error.request_id and error.body["request_id"] == error.request_id
    assert "127.0.0.1" not in str(error)


def test_message_stream_that_breaks():
    pieces = []
    with pytest.raises(anthropic.APIError) as caught:
        for event in ask("mock-cut", stream=True):
            if event.type == "content_block_delta":
                pieces.append(event.delta.text)
    assert "".join(pieces) and "upstream" in str(caught.value)


def test_message_limits_in_both_families_of_headers():
    sdk = claude(os.environ["DEEPPOOL_E2E_RPM_KEY_2"])
    first = sdk.messages.with_raw_response.create(model="mock-ok", max_tokens=9, messages=ASKED)
    assert first.headers["anthropic-ratelimit-requests-limit"] == first.headers["x-ratelimit-limit-requests"] == "1"
    assert first.headers["anthropic-ratelimit-requests-reset"].endswith("Z")
    assert first.headers["request-id"] == first.headers["x-request-id"]
    with pytest.raises(anthropic.RateLimitError) as caught:
        ask(sdk=sdk)
    assert float(caught.value.response.headers["retry-after"]) > 0


def test_message_repeated_by_idempotency_key():
    name = {"Idempotency-Key": f"e2e-{uuid.uuid4()}"}
    first = ask(extra_headers=name)
    assert ask(extra_headers=name).id == first.id
    with pytest.raises(anthropic.UnprocessableEntityError):
        ask(extra_headers=name, stop_sequences=["x"])


def test_coding_agents_request():
    """Long system blocks with cache marks, many tools, parallel calls, thinking between them."""
    mark = {"cache_control": {"type": "ephemeral"}}
    tools = [{"name": f"tool_{i}", "description": "does much " * 40, "input_schema": SCHEMA} for i in range(24)]
    tools[-1].update(mark)
    turns = [{"role": "user", "content": [{"type": "text", "text": "mend the tests"}]},
             {"role": "assistant", "content": [
                 {"type": "thinking", "thinking": "look first", "signature": "c2ln"},
                 {"type": "text", "text": "I look at both files."},
                 {"type": "tool_use", "id": "toolu_1", "name": "tool_1", "input": {"city": "a"}},
                 {"type": "tool_use", "id": "toolu_2", "name": "tool_2", "input": {}}]},
             {"role": "user", "content": [
                 {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x " * 5000},
                 {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": True,
                  "content": [{"type": "text", "text": "no such file"}], **mark}]}]
    options = {"system": [{"type": "text", "text": "You are an agent. " * 800, **mark}], "messages": turns,
               "tools": tools, "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"},
               "metadata": {"user_id": "user_" + "a" * 130}}
    with claude().messages.stream(model="mock-sixteen", max_tokens=32000, **options) as stream:
        final = stream.get_final_message()
    assert final.content[0].text == TEXT and final.stop_reason == "end_turn"
    counted = claude().messages.count_tokens(model="mock-ok", **{k: v for k, v in options.items() if k != "metadata"})
    assert 10_000 < counted.input_tokens < 30_000


def respond(model="mock-ok", **options):
    return client().responses.create(model=model, **{"input": "say sixteen words", **options})


def test_response():
    answer = respond(instructions="be brief")
    assert answer.output_text == TEXT and answer.status == "completed" and answer.id.startswith("resp_")
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (5, 16, 21)
    assert answer.instructions == "be brief"


def test_response_cut_short():
    answer = respond(max_output_tokens=3)
    assert answer.status == "incomplete" and answer.incomplete_details.reason == "max_output_tokens"


def test_response_stream():
    events = list(respond(stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    assert events[-1].response.output_text == TEXT


def test_response_stream_helper():
    with client().responses.stream(model="mock-ok", input="say sixteen words") as events:
        for _ in events:
            pass
        final = events.get_final_response()
    assert final.output_text == TEXT and final.usage.output_tokens == 16


def test_response_tool_loop():
    with client().responses.stream(model="mock-tool-calls", input="weather?", tools=[FUNCTION]) as events:
        for _ in events:
            pass
        first = events.get_final_response()
    call = first.output[-1]
    assert call.type == "function_call" and isinstance(json.loads(call.arguments), dict)
    items = [{"role": "user", "content": "weather?"}, *[item.model_dump(exclude_none=True) for item in first.output],
             {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
    assert respond("mock-tool-calls", input=items, tools=[FUNCTION]).output_text


def test_response_reasoning_comes_and_goes_back():
    first = respond("mock-reasoning", include=["reasoning.encrypted_content"], store=False,
                    reasoning={"effort": "low", "summary": "auto"})
    assert [item.type for item in first.output] == ["reasoning", "message"]
    assert first.output[0].summary[0].text and first.output[0].encrypted_content
    items = [*[item.model_dump(exclude_none=True) for item in first.output], {"role": "user", "content": "and?"}]
    assert respond("mock-reasoning", input=items).output_text


def test_response_structured():
    schema = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
    assert isinstance(json.loads(respond("mock-json", text={"format": schema}).output_text), dict)


@pytest.mark.parametrize("options, param", [
    ({"previous_response_id": "resp_1"}, "previous_response_id"),
    ({"background": True}, "background"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
])
def test_response_refusals(options, param):
    with pytest.raises(openai.BadRequestError) as caught:
        respond(**options)
    assert caught.value.param == param


def test_response_stream_that_breaks():
    with pytest.raises(openai.APIError) as caught:
        list(respond("mock-cut", stream=True))
    assert "upstream" in str(caught.value)


# Over upstreams of other dialects: what test_protocols_over_dialects.py does not ask.
TOOLS = [TOOL, {**TOOL, "name": "get_time"}]
FUNCTIONS = [FUNCTION, {**FUNCTION, "name": "get_time"}]


def named(dialect, script):
    return f"{dialect}/mock-{public(script)}"


def message_loop(model):
    """Two calls at once, both answered, and the words for them."""
    with claude().messages.stream(model=model, max_tokens=4000, messages=ASKED, tools=TOOLS) as stream:
        first = stream.get_final_message()
    calls = [block for block in first.content if block.type == "tool_use"]
    assert first.stop_reason == "tool_use" and len(calls) == 2
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"} for call in calls]
    turns = ASKED + [first.to_param(), {"role": "user", "content": results}]
    assert ask(model, messages=turns, tools=TOOLS, max_tokens=4000).content[-1].text.startswith(TEXT)
    return first


def response_loop(model):
    kept = {"include": ["reasoning.encrypted_content"], "store": False}
    first = respond(model, tools=FUNCTIONS, **kept)
    calls = [item for item in first.output if item.type == "function_call"]
    assert len(calls) == 2
    items = [{"role": "user", "content": "weather?"}, *[item.model_dump(exclude_none=True) for item in first.output],
             *[{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"} for call in calls]]
    assert respond(model, input=items, tools=FUNCTIONS, **kept).output_text.startswith(TEXT)
    return first


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("script", ["tool-calls:arg_bytes=4000,calls=2", "tool-calls:arg_bytes=4000,calls=2,piece=7"])
def test_message_long_arguments(dialect, script):
    first = message_loop(named(dialect, script))
    assert all(len(json.dumps(block.input)) > 3000 for block in first.content if block.type == "tool_use")


@pytest.mark.parametrize("api", ["messages", "responses"])
def test_signatures_of_gemini_3_come_back(api):
    model = named("gemini", "thinking-tools:calls=2,gen=3")
    if api == "messages":
        kept = [block.data for block in message_loop(model).content if block.type == "redacted_thinking"]
    else:
        kept = [item.encrypted_content for item in response_loop(model).output if item.type == "reasoning"]
    assert any(word.startswith("dp1_") for word in kept)
