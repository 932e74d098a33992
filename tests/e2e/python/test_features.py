"""What callers do with a model beside plain chat, and what they are told when it does not work."""

import json
import os
import uuid

import openai
import pytest
from sdks import DIRECT, MESSAGES, client

PIXEL = ("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
         "awAAAABJRU5ErkJggg==")
TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
platform_only = pytest.mark.skipif(DIRECT, reason="the mock has no keys and no limits")


def test_tool_call_whole():
    answer = client().chat.completions.create(model="mock-tool-calls", messages=MESSAGES, tools=[TOOL])
    call = answer.choices[0].message.tool_calls[0]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert call.function.name == "get_weather" and isinstance(json.loads(call.function.arguments), dict)


@pytest.mark.parametrize("model", ["mock-tool-calls", "mock-tool-no-type", "mock-tool-no-index"])
def test_tool_call_streamed(model):
    with client().chat.completions.stream(model=model, messages=MESSAGES, tools=[TOOL]) as events:
        final = events.get_final_completion()
    call = final.choices[0].message.tool_calls[0]
    assert call.type == "function" and call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments), dict)


def test_tool_result_goes_back():
    first = client().chat.completions.create(model="mock-tool-calls", messages=MESSAGES, tools=[TOOL])
    said = first.choices[0].message
    turns = MESSAGES + [said.model_dump(exclude_none=True),
                        {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "sunny"}]
    answer = client().chat.completions.create(model="mock-tool-calls", messages=turns, tools=[TOOL])
    assert answer.choices[0].finish_reason == "stop" and answer.choices[0].message.content


def test_vision_parts_arrive():
    parts = [{"type": "text", "text": "how many?"}] + [{"type": "image_url", "image_url": {"url": PIXEL}}] * 2
    answer = client().chat.completions.create(model="mock-vision", messages=[{"role": "user", "content": parts}])
    assert "2" in answer.choices[0].message.content


def test_json_mode():
    answer = client().chat.completions.create(model="mock-json", messages=MESSAGES,
                                              response_format={"type": "json_object"})
    assert isinstance(json.loads(answer.choices[0].message.content), dict)


def test_reasoning_content_survives():
    answer = client().chat.completions.create(model="mock-reasoning", messages=MESSAGES)
    assert answer.choices[0].message.model_extra["reasoning_content"]
    assert answer.usage.completion_tokens_details.reasoning_tokens > 0


def test_embeddings_in_both_encodings():
    texts = ["one", "two"]
    # The SDK itself asks for base64 when nothing is said, and decodes it.
    usual = client().embeddings.create(model="mock-ok", input=texts)
    floats = client().embeddings.create(model="mock-ok", input=texts, encoding_format="float")
    assert len(usual.data) == 2 and usual.usage.prompt_tokens == floats.usage.prompt_tokens > 0
    for a, b in zip(usual.data, floats.data):
        assert a.embedding == pytest.approx(b.embedding)


@pytest.mark.parametrize("asked", [True, False])
def test_usage_chunk_only_for_those_who_ask(asked):
    options = {"stream_options": {"include_usage": True}} if asked else {}
    chunks = list(client().chat.completions.create(model="mock-ok", messages=MESSAGES, stream=True, **options))
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(usages) == (1 if asked else 0)
    assert all(chunk.choices for chunk in chunks) != asked
    if asked:
        assert (usages[0].prompt_tokens, usages[0].completion_tokens) == (3, 16)


def test_completions_endpoint():
    answer = client().completions.create(model="mock-ok", prompt="say", max_tokens=4)
    assert answer.object == "text_completion" and answer.choices[0].finish_reason == "length"


@platform_only
def test_usage_is_in_full_shape():
    usage = client().chat.completions.create(model="mock-ok", messages=MESSAGES).usage
    assert usage.prompt_tokens_details.cached_tokens == 0
    assert usage.completion_tokens_details.reasoning_tokens == 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


@platform_only
def test_unmeasured_answers_are_estimated():
    usage = client().chat.completions.create(model="mock-no-usage", messages=MESSAGES).usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0


@platform_only
def test_models_are_listed_and_found_by_encoded_name():
    name = "org/mock-ok v1:2"
    assert name in [model.id for model in client().models.list().data]
    assert client().models.retrieve(name).id == name
    answer = client().chat.completions.create(model=name, messages=MESSAGES)
    assert answer.model == name


@platform_only
@pytest.mark.parametrize("stream", [True, False])
def test_idempotency_key_repeats_the_answer(stream):
    name = {"Idempotency-Key": f"e2e-{uuid.uuid4()}"}

    def ask(messages=MESSAGES):
        asked = client().chat.completions.with_raw_response.create(
            model="mock-ok", messages=messages, stream=stream, extra_headers=name)
        if not stream:
            return asked.headers, asked.parse().choices[0].message.content
        return asked.headers, "".join(choice.delta.content or "" for chunk in asked.parse() for choice in chunk.choices)

    first, second = ask(), ask()
    assert first[1] == second[1] != ""
    assert "x-deeppool-idempotent-replay" not in first[0]
    assert second[0]["x-deeppool-idempotent-replay"] == "true"
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        ask([{"role": "user", "content": "something else"}])
    assert refused.value.code == "idempotency_key_reused"


@platform_only
def test_idempotency_key_of_a_running_request_is_tried_again():
    name = {"Idempotency-Key": f"e2e-{uuid.uuid4()}"}
    seen = []
    running = client().chat.completions.create(model="mock-ok", messages=MESSAGES, stream=True, extra_headers=name)
    events = iter(running)
    next(events)
    # The first may have ended already: then this is its answer at once.
    answer = client(retries=5, seen=seen).chat.completions.create(model="mock-ok", messages=MESSAGES, stream=True,
                                                                  extra_headers=name)
    list(events)
    assert "".join(choice.delta.content or "" for chunk in answer for choice in chunk.choices)


# title, key, model, body beside it, the SDK's class, status, code, how often an SDK with two retries asks
REFUSALS = [
    ("bad-key", "dp-" + "x" * 43, "mock-ok", {}, openai.AuthenticationError, 401, "invalid_api_key", 1),
    ("no-such-model", None, "no-such-model", {}, openai.NotFoundError, 404, "model_not_found", 1),
    ("wrong-type", None, "mock-ok", {"temperature": "hot"}, openai.BadRequestError, 400, None, 1),
    ("context-length", None, "mock-context-length", {}, openai.BadRequestError, 400,
     "context_length_exceeded", 1),
    ("spent-quota", "DEEPPOOL_E2E_QUOTA_KEY", "mock-ok", {}, openai.RateLimitError, 429, "insufficient_quota", 1),
    ("upstream-down", None, "mock-status-500", {}, openai.InternalServerError, None, None, 3),
    ("upstream-unauthorized", None, "mock-status-401", {}, openai.InternalServerError, None, None, 3),
]


@platform_only
@pytest.mark.parametrize("key, model, body, kind, status, code, attempts",
                         [pytest.param(*row[1:], id=row[0]) for row in REFUSALS])
def test_refusals(key, model, body, kind, status, code, attempts):
    seen = []
    asked = client(os.environ.get(key, key) if key else os.environ["DEEPPOOL_E2E_KEY"], 2, seen)
    with pytest.raises(kind) as caught:
        asked.chat.completions.create(model=model, messages=MESSAGES, extra_body=body)
    error = caught.value
    assert len(seen) == attempts
    assert error.request_id
    assert error.body.keys() == {"message", "type", "param", "code"}
    assert "127.0.0.1" not in str(error)
    if status:
        assert error.status_code == status
    if code:
        assert error.code == code


@platform_only
def test_rate_limit_says_when_to_come_back():
    asked = client(os.environ["DEEPPOOL_E2E_RPM_KEY"])
    first = asked.chat.completions.with_raw_response.create(model="mock-ok", messages=MESSAGES)
    assert first.headers["x-ratelimit-limit-requests"] == "1"
    assert first.headers["x-ratelimit-remaining-requests"] == "0"
    with pytest.raises(openai.RateLimitError) as caught:
        asked.chat.completions.create(model="mock-ok", messages=MESSAGES)
    assert caught.value.code == "rate_limit_exceeded"
    assert 0 < float(caught.value.response.headers["retry-after"]) <= 61
