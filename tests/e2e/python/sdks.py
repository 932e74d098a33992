"""Each Python client as one function: ask a model, say what came of it in the same words for all."""

import asyncio
import os
from dataclasses import dataclass, field

import openai
from langchain_openai import ChatOpenAI

BASE_URL = os.environ["DEEPPOOL_E2E_BASE_URL"]
KEY = os.environ["DEEPPOOL_E2E_KEY"]
DIRECT = "DEEPPOOL_E2E_ROOT" not in os.environ
TIMEOUT_SECONDS = 20
MESSAGES = [{"role": "user", "content": "say sixteen words"}]


@dataclass
class Outcome:
    text: str = ""
    finish: str | None = None
    usage: object = None
    error: Exception | None = None
    pieces: list = field(default_factory=list)

    @property
    def meant(self):
        """Whether the error is one that the SDK documents."""
        return isinstance(self.error, openai.APIError)

    @property
    def status(self):
        return getattr(self.error, "status_code", None)


def client(key=KEY, retries=0, seen=None):
    """`seen`, a list, gets one entry per HTTP request that the SDK really makes."""
    hooks = {"request": [lambda request: seen.append(request.url)]} if seen is not None else {}
    return openai.OpenAI(base_url=BASE_URL, api_key=key, max_retries=retries, timeout=TIMEOUT_SECONDS,
                         http_client=openai.DefaultHttpxClient(event_hooks=hooks))


def collect(outcome, chunk):
    if chunk.usage:
        outcome.usage = chunk.usage
    for choice in chunk.choices:
        outcome.finish = choice.finish_reason or outcome.finish
        if choice.delta.content:
            outcome.pieces.append(choice.delta.content)


def openai_whole(model, outcome):
    answer = client().chat.completions.create(model=model, messages=MESSAGES)
    outcome.pieces.append(answer.choices[0].message.content)
    outcome.finish, outcome.usage = answer.choices[0].finish_reason, answer.usage


def openai_stream(model, outcome):
    for chunk in client().chat.completions.create(model=model, messages=MESSAGES, stream=True):
        collect(outcome, chunk)


def openai_helper(model, outcome):
    with client().chat.completions.stream(model=model, messages=MESSAGES) as events:
        for event in events:
            if event.type == "content.delta":
                outcome.pieces.append(event.delta)
        outcome.finish = events.get_final_completion().choices[0].finish_reason


def openai_async(model, outcome):
    async def run():
        async with openai.AsyncOpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0,
                                      timeout=TIMEOUT_SECONDS) as asked:
            async for chunk in await asked.chat.completions.create(model=model, messages=MESSAGES, stream=True):
                collect(outcome, chunk)

    asyncio.run(run())


def chain(model):
    return ChatOpenAI(model=model, base_url=BASE_URL, api_key=KEY, max_retries=0, timeout=TIMEOUT_SECONDS)


def langchain_whole(model, outcome):
    answer = chain(model).invoke("say sixteen words")
    outcome.pieces.append(answer.content)
    outcome.finish = answer.response_metadata.get("finish_reason")


def langchain_stream(model, outcome):
    for chunk in chain(model).stream("say sixteen words"):
        outcome.pieces.append(chunk.content)
        outcome.finish = chunk.response_metadata.get("finish_reason") or outcome.finish


WHOLE = {"openai": openai_whole, "langchain": langchain_whole}
STREAM = {"openai": openai_stream, "openai-helper": openai_helper, "openai-async": openai_async,
          "langchain": langchain_stream}


def ask(driver, model):
    outcome = Outcome()
    try:
        driver(model, outcome)
    except Exception as error:  # noqa: BLE001: what it is, the test judges
        outcome.error = error
    outcome.text = "".join(outcome.pieces)
    return outcome
