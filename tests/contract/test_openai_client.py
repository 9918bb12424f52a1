"""OpenAI's own client, the same code against both targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest

from contract.api import ALIASES, CHATS, LISTED
from contract.case import AWS, LOCAL
from contract.cases.openai import SAID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.chat import ChatCompletionMessageParam

    from contract.targets import Targets

pytestmark = pytest.mark.slow
MESSAGES: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": SAID},
]


@pytest.fixture(params=[LOCAL, AWS])
def client(targets: Targets, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    url = targets.url(request.param)
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_it_lists_the_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [*LISTED]


def test_it_lists_the_models_without_v1_too(client: openai.OpenAI) -> None:
    short = client.with_options(base_url=str(client.base_url).removesuffix("v1/"))
    assert [model.id for model in short.models.list()] == [*LISTED]
    with pytest.raises(openai.NotFoundError, match="POST /v1/chat/completions"):
        short.chat.completions.create(model="chat", messages=MESSAGES)


def test_it_chats(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="chat", messages=MESSAGES)
    assert answer.choices[0].message.content == SAID


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_it_finds_an_alias_and_calls_it(client: openai.OpenAI, alias: str, name: str) -> None:
    described = client.models.retrieve(alias)
    assert (described.id, (described.model_extra or {})["root"]) == (alias, name)
    answer = client.chat.completions.create(model=alias, messages=MESSAGES)
    assert answer.choices[0].message.content == SAID


def test_it_streams(client: openai.OpenAI) -> None:
    with client.chat.completions.create(model="chat", messages=MESSAGES, stream=True) as pieces:
        assert [piece.choices[0].delta.content for piece in pieces] == SAID.split()


def test_it_shows_the_real_reason_of_an_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="nope", messages=MESSAGES)
    assert refused.value.code == "model_not_found"
    assert f"Available: {', '.join(CHATS)}." in refused.value.message
