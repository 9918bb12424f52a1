"""OpenAI's own client against the function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from support.model_server import answer, exit_at_once
from support.stream_host import start_front
from support.streaming import streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.streaming import Streaming

TGI = "text-generation-inference"
MESSAGES: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
TOKENS = [f'data:{{"token":{{"text":"{word}"}}}}\n\n'.encode() for word in ("one", " two")]


@pytest.fixture
def client(streaming: Streaming) -> Iterator[openai.OpenAI]:
    with (
        start_front(streaming.host) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=30) as client,
    ):
        yield client


@pytest.mark.slow
def test_it_chats(client: openai.OpenAI, streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b'{"generated_text": "Hello."}', Content_Type="application/json")
    found = client.chat.completions.create(model=TGI, messages=MESSAGES)
    assert found.choices[0].message.content == "Hello."
    assert found.usage is not None
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens


@pytest.mark.slow
def test_it_streams(client: openai.OpenAI, streaming: Streaming) -> None:
    streaming.model.answering = streams(*TOKENS)
    with client.chat.completions.create(model=TGI, messages=MESSAGES, stream=True) as stream:
        texts = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert "".join(texts) == "one two"


@pytest.mark.slow
def test_it_embeds(client: openai.OpenAI, streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b"[[0.5, -1.0]]", Content_Type="application/json")
    found = client.embeddings.create(model="text-embeddings-inference", input="a")
    assert found.data[0].embedding == [0.5, -1.0]


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, openai.BadRequestError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.slow
def test_a_models_error_is_its_exception(
    client: openai.OpenAI,
    streaming: Streaming,
    status: int,
    raised: type[openai.APIStatusError],
    *,
    stream: bool,
) -> None:
    streaming.model.answering = answer(status, b"the reason", Content_Type="text/plain")
    with pytest.raises(raised, match="the reason") as caught:
        client.chat.completions.create(model=TGI, messages=MESSAGES, stream=stream)
    assert caught.value.request_id == "the-request"


@pytest.mark.slow
def test_an_unknown_model_is_its_exception(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Available: openai-chat, "):
        client.chat.completions.create(model="nobody", messages=MESSAGES)


@pytest.mark.slow
def test_an_error_in_mid_stream_is_its_exception(client: openai.OpenAI, streaming: Streaming) -> None:
    streaming.model.answering = streams(TOKENS[0], then=exit_at_once)
    texts: list[str] = []
    with client.chat.completions.create(model=TGI, messages=MESSAGES, stream=True) as stream:
        chunks = iter(stream)
        while "".join(texts) != "one":
            texts.append(next(chunks).choices[0].delta.content or "")
        with pytest.raises(openai.APIError, match="closed the connection"):
            list(chunks)
