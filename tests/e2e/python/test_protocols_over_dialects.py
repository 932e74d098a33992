"""Anthropic's SDK and OpenAI's responses over upstreams of every dialect: every protocol meets every vendor."""

import json

import pytest
from deeppool_e2e.processes import public
from sdks import DIRECT, client
from test_protocols import ASKED, FUNCTION, PIXEL, TEXT, TOOL, claude

pytestmark = [pytest.mark.skipif(DIRECT, reason="the mock speaks one dialect to a client"),
              pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])]
OTHER_TOOL = {**TOOL, "name": "get_time"}
OTHER_FUNCTION = {**FUNCTION, "name": "get_time"}
THINKING = {"type": "enabled", "budget_tokens": 1024}


def name(dialect, model):
    return f"{dialect}/mock-{public(model)}"


def message(dialect, model, messages=ASKED, stream=False, **options):
    asked = {"model": name(dialect, model), "max_tokens": 4000, "messages": messages, **options}
    if not stream:
        return claude().messages.create(**asked)
    with claude().messages.stream(**asked) as events:
        return events.get_final_message()


@pytest.mark.parametrize("stream", [False, True])
def test_message(dialect, stream):
    answer = message(dialect, "ok:tokens=16", stream=stream, system="be brief")
    assert (answer.content[0].text, answer.stop_reason) == (TEXT, "end_turn")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 16)
    cached = message(dialect, "ok:tokens=16,cached=2", stream=stream)
    assert (cached.usage.input_tokens, cached.usage.cache_read_input_tokens) == (1, 2)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model, thinking", [("tool-calls:calls=2,tokens=16", None),
                                             ("thinking-tools:calls=2,tokens=16", THINKING)])
def test_message_parallel_tools_and_back(dialect, model, thinking, stream):
    options = {"tools": [TOOL, OTHER_TOOL], "stream": stream, **({"thinking": thinking} if thinking else {})}
    first = message(dialect, model, **options)
    calls = [block for block in first.content if block.type == "tool_use"]
    assert first.stop_reason == "tool_use"
    assert [(call.name, call.input) for call in calls] == [("get_weather", {"city": "Paris"}),
                                                          ("get_time", {"city": "Paris"})]
    # Gemini's signatures, for which Messages has no word, travel sealed.
    sealed = ["redacted_thinking"] if dialect == "gemini" else []
    assert [block.type for block in first.content][:-2] == (["thinking"] if thinking else []) + sealed
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"} for call in calls]
    turns = [*ASKED, first.to_param(), {"role": "user", "content": results}]
    last = message(dialect, model, turns, **options)
    assert [block.text for block in last.content if block.type == "text"] == [TEXT]
    assert last.stop_reason == "end_turn"


def test_message_pictures_and_refusal(dialect):
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    answer = message(dialect, "vision", [{"role": "user", "content": [picture, picture, {"type": "text", "text": "?"}]}])
    assert answer.content[0].text == "I see 2 images."
    assert message(dialect, "refusal").stop_reason == "refusal"


def test_message_counted(dialect):
    assert claude().messages.count_tokens(model=name(dialect, "ok"), messages=ASKED, tools=[TOOL]).input_tokens > 3


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["tool-calls:calls=2,tokens=16", "thinking-tools:calls=2,tokens=16"])
def test_response_parallel_functions_and_back(dialect, model, stream):
    options = {"model": name(dialect, model), "tools": [FUNCTION, OTHER_FUNCTION], "store": False,
               "include": ["reasoning.encrypted_content"], "reasoning": {"effort": "high"}}

    def respond(items):
        if not stream:
            return client().responses.create(input=items, **options)
        with client().responses.stream(input=items, **options) as events:
            for _ in events:
                pass
            return events.get_final_response()

    items = [{"role": "user", "content": "weather and time?"}]
    first = respond(items)
    calls = [item for item in first.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [("get_weather", {"city": "Paris"}),
                                                                          ("get_time", {"city": "Paris"})]
    items += [item.model_dump(exclude_none=True) for item in first.output]
    items += [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"} for call in calls]
    last = respond(items)
    assert last.output_text == TEXT and last.status == "completed"
