"""OpenAI's SDK and LangChain over upstreams of every dialect: the same calls, the same answers. The mock refuses
what the real vendors refuse, so that an answer also says that the request was one of theirs."""

import json

import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel
from deeppool_e2e.processes import public
from sdks import DIRECT, MESSAGES, chain, client
from test_features import PIXEL

pytestmark = [pytest.mark.skipif(DIRECT, reason="the mock speaks one dialect to an OpenAI client"),
              pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])]
WORDS = "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16"


def named(name, description="a tool", **properties):
    return {"type": "function", "function": {"name": name, "description": description, "strict": True, "parameters": {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": False,
        "properties": properties or {"city": {"type": "string"}}, "required": list(properties or ["city"])}}}


TOOLS = [named("get_weather"), named("get_time")]


def chat(dialect, model, messages=MESSAGES, **more):
    return client().chat.completions.create(model=f"{dialect}/mock-{public(model)}", messages=messages, **more)


def streamed(dialect, model, messages=MESSAGES, **more):
    """The final completion of the SDK's own helper."""
    with client().chat.completions.stream(model=f"{dialect}/mock-{public(model)}", messages=messages, **more) as events:
        return events.get_final_completion()


def test_text_and_usage(dialect):
    answer = chat(dialect, "ok")
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (WORDS, "stop")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (3, 16)
    chunks = list(chat(dialect, "ok", stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == WORDS
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (3, 16)
    assert {c.model for c in chunks} == {f"{dialect}/mock-ok"}


def test_stream_helper(dialect):
    final = streamed(dialect, "ok")
    assert (final.choices[0].message.content, final.choices[0].finish_reason) == (WORDS, "stop")


def test_limit_and_cache(dialect):
    answer = chat(dialect, "ok", max_tokens=3)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("w1 w2 w3", "length")
    cached = chat(dialect, "ok:cached=2")
    assert cached.usage.prompt_tokens_details.cached_tokens == 2
    assert cached.usage.prompt_tokens == 3


def test_every_role_and_usual_parameter(dialect):
    messages = [{"role": "developer", "content": "be brief"}, {"role": "system", "content": "be kind"},
                {"role": "user", "content": "one"}, {"role": "user", "content": [{"type": "text", "text": "two"}]},
                {"role": "assistant", "content": "yes"}, {"role": "user", "content": "three"}]
    answer = chat(dialect, "ok", messages, temperature=1.5, top_p=0.9, stop=["END", "STOP"], seed=7, n=1, user="u-1",
                  presence_penalty=0.1, logit_bias={"50256": -100}, parallel_tool_calls=False, tools=TOOLS,
                  metadata={"a": "b"})
    assert answer.choices[0].message.content == WORDS


def finish_loop(dialect, model, first, **more):
    """Answers every call of `first` and gets words for it."""
    said = first.choices[0].message
    turns = [*MESSAGES, said.model_dump(exclude_none=True)]
    turns += [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in said.tool_calls]
    answer = chat(dialect, model, turns, tools=TOOLS, **more)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (WORDS, "stop")


@pytest.mark.parametrize("how", [chat, streamed])
@pytest.mark.parametrize("model", ["tool-calls:calls=2", "thinking-tools:calls=2"])
def test_parallel_tools_and_back(dialect, model, how):
    effort = {"reasoning_effort": "high"} if model.startswith("thinking") else {}
    first = how(dialect, model, tools=TOOLS, **effort)
    calls = first.choices[0].message.tool_calls
    assert first.choices[0].finish_reason == "tool_calls"
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert len({call.id for call in calls}) == 2
    assert all(json.loads(call.function.arguments) == {"city": "Paris"} for call in calls)
    finish_loop(dialect, model, first, **effort)


def test_calls_made_elsewhere_go_on_here(dialect):
    """A conversation may move from one vendor to another between its turns."""
    for other in ("openai", "anthropic", "gemini"):
        first = chat(other, "thinking-tools:calls=2", tools=TOOLS)
        finish_loop(dialect, "tool-calls:calls=2", first)


def test_thoughts(dialect):
    answer = chat(dialect, "reasoning", reasoning_effort="high")
    assert answer.choices[0].message.model_extra["reasoning_content"] == "I think, " * 4
    assert answer.usage.completion_tokens_details.reasoning_tokens == 4
    chunks = list(chat(dialect, "reasoning", reasoning_effort="high", stream=True))
    thoughts = [(c.choices[0].delta.model_extra or {}).get("reasoning_content") or "" for c in chunks if c.choices]
    assert "".join(thoughts) == "I think, " * 4


def test_images(dialect):
    parts = [{"type": "text", "text": "how many?"}] + [{"type": "image_url", "image_url": {"url": PIXEL}}] * 2
    answer = chat(dialect, "vision", [{"role": "user", "content": parts}])
    assert answer.choices[0].message.content == "I see 2 images."


class Place(BaseModel):
    name: str
    people: int


def test_json_schema(dialect):
    answer = client().chat.completions.parse(model=f"{dialect}/mock-json", messages=MESSAGES, response_format=Place)
    assert answer.choices[0].message.parsed == Place(name="mock", people=1)
    final = streamed(dialect, "json", response_format=Place)
    assert final.choices[0].message.parsed == Place(name="mock", people=1)


@pytest.mark.parametrize("model", ["refusal", "blocked"])
def test_refused_by_the_vendor(dialect, model):
    assert chat(dialect, model).choices[0].finish_reason == "content_filter"
    chunks = list(chat(dialect, model, stream=True))
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "content_filter"


def test_a_coding_agents_traffic(dialect):
    """A long system prompt, many tools with deep schemas, long arguments in small pieces of odd bytes."""
    deep = {"edits": {"type": "array", "items": {"type": "object", "additionalProperties": False, "properties": {
        "old": {"type": ["string", "null"]}, "new": {"type": "string"}, "kind": {"enum": ["a", "b"]},
        "range": {"$ref": "#/$defs/r"}}}}, "city": {"type": "string", "const": "Paris"}}
    tools = [named(f"tool_{i}", "x" * 500, **deep) for i in range(40)]
    for entry in tools:
        entry["function"]["strict"] = False
        entry["function"]["parameters"]["$defs"] = {"r": {"type": "object", "properties": {"line": {"type": "integer"}}}}
    messages = [{"role": "system", "content": "You are an agent. " * 3000}, *MESSAGES]
    whole = chat(dialect, "tool-calls:arg_bytes=4000,calls=2", messages, tools=tools)
    split = streamed(dialect, "tool-calls:arg_bytes=4000,calls=2,piece=7", messages, tools=tools)
    texts = [[json.loads(c.function.arguments)["city"] for c in answer.choices[0].message.tool_calls]
             for answer in (whole, split)]
    assert texts[0] == texts[1] and len(texts[0][0]) > 2000
    assert texts[0][0].startswith('line "q" \\ \té中😀 </x>\n')


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return f"noon in {city}"


def test_langchain_agent(dialect):
    agent = chain(f"{dialect}/mock-{public('tool-calls:calls=2')}").bind_tools([get_weather, get_time])
    turns = [HumanMessage("weather and time?")]
    for ask in (agent.invoke, lambda messages: sum_of(agent.stream(messages))):
        said = ask(turns)
        assert [call["name"] for call in said.tool_calls] == ["get_weather", "get_time"]
        answers = [{"get_weather": get_weather, "get_time": get_time}[call["name"]].invoke(call)
                   for call in said.tool_calls]
        assert all(isinstance(answer, ToolMessage) for answer in answers)
        assert ask([*turns, said, *answers]).content == WORDS


def sum_of(chunks):
    whole = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole
