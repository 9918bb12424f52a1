"""The official client of OpenAI against a running API, as its users call it."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from support import embedding_server
from support.local_api import LocalApi, start_local_api
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


ROOT = Path(__file__).parents[2]
EMBED = {
    "name": "embed",
    "endpoint_name": "somebody-elses",
    "integration": {"type": "api"},
    "local": {
        "engine": "command",
        "run": [sys.executable, embedding_server.__file__, "{port}"],
        "invocations": "/v1/embeddings",
    },
}


ALIASES = {"gpt-4o-mini": "open-llama", "org/embed:small": "embed"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    """The default config, whose chat model stands behind a function, and an entry that embeds."""
    folder = tmp_path_factory.mktemp("openai")
    for part in ("functions", "models"):
        shutil.copytree(ROOT / part, folder / part)
    config = json.loads((ROOT / "config/models.json").read_text())
    config["endpoints"].append(EMBED)
    config["event"] = {"aliases": ALIASES}
    (folder / "models.json").write_text(json.dumps(config))
    with start_local_api(folder, folder / "models.json") as started:
        yield started.wait_serving()


@pytest.fixture(scope="module")
def client(api: LocalApi) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{api.url}/v1", api_key="none is asked for", max_retries=0) as client:
        yield client


@pytest.mark.slow
@pytest.mark.parametrize("accept", [";", "text/csv;q=1.5, */*;q=0", "a/b;q=a"])
def test_what_a_caller_accepts_is_never_why_a_chat_is_refused(api: LocalApi, accept: str) -> None:
    body = {"model": "open-llama", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    for path in ("/v1/chat/completions", "/v1/messages/count_tokens"):
        answer = api.call(path, json.dumps(body).encode(), Accept=accept)
        assert answer.status == 200, answer.data


@pytest.mark.slow
def test_models_are_those_that_one_machine_serves(client: openai.OpenAI) -> None:
    names = ["open-llama", "embed"]  # sd-1-0 is not served
    assert [model.id for model in client.models.list()] == [*names, *ALIASES]
    model = client.models.retrieve("open-llama")
    assert model.id == "open-llama"
    assert model.model_extra is not None
    can = {"chat": True, "embeddings": False, "tools": False, "vision": False}
    assert model.model_extra["capabilities"] == can
    assert model.model_extra["context_length"] == 2048
    assert model.model_extra["routes"] == [
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/v1/messages",
        "/v1/messages/count_tokens",
    ]


@pytest.mark.slow
def test_a_model_without_tools_says_so_where_they_are_required(client: openai.OpenAI) -> None:
    def ask(choice: Any) -> str | None:
        answer = client.chat.completions.create(
            model="open-llama",
            messages=[{"role": "user", "content": "What is the weather?"}],
            max_tokens=4,
            tools=[{"type": "function", "function": {"name": "weather"}}],
            tool_choice=choice,
        )
        return answer.choices[0].message.content

    for required in ("required", {"type": "function", "function": {"name": "weather"}}):
        with pytest.raises(openai.BadRequestError, match="This model cannot call tools"):
            ask(required)
    assert ask("auto")


@pytest.mark.slow
def test_a_chat_with_a_system_message_answers(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="open-llama",
        messages=[
            {"role": "system", "content": "You name colours."},
            {"role": "user", "content": "Name a colour."},
        ],
        max_tokens=8,
    )
    assert answer.model == "open-llama"
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}),
        ("/completions", {"prompt": "Once upon", "max_tokens": 2}),
        ("/responses", {"input": "Hi", "max_output_tokens": 2}),
        ("/messages", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}),
        ("/messages/count_tokens", {"messages": [{"role": "user", "content": "Hi"}]}),
    ],
)
def test_an_alias_is_the_entry_on_every_path(api: LocalApi, path: str, body: dict[str, Any]) -> None:
    answer = api.call(f"/v1{path}", json.dumps({"model": "gpt-4o-mini", **body}).encode())
    assert answer.status == 200, answer.data
    assert answer.json().get("model", "open-llama") == "open-llama", "a count names no model"
    assert logged(api, answer.headers["x-request-id"])["model"] == "open-llama"


@pytest.mark.slow
def test_a_streamed_chat_comes_in_pieces(client: openai.OpenAI) -> None:
    with client.chat.completions.create(
        model="open-llama",
        messages=[{"role": "user", "content": "Count to twenty."}],
        max_tokens=24,
        temperature=0,
        stream=True,
    ) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        pieces = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]
    assert len([piece for piece in pieces if piece]) > 4, "a piece for each token, not all of them at once"


@pytest.mark.slow
def test_who_leaves_a_stream_ends_it(api: LocalApi, client: openai.OpenAI) -> None:
    answer = client.chat.completions.with_raw_response.create(
        model="open-llama",
        messages=[{"role": "user", "content": "Count to ten thousand."}],
        max_tokens=1500,
        stream=True,
    )
    with answer.parse() as stream:
        assert next(iter(stream)).choices, "the first piece is here long before the last is made"
    line = logged(api, answer.headers["x-request-id"])
    assert line["flags"] == "DC", "ended by the client, not by the model"


@pytest.mark.slow
def test_embeddings_come_as_vectors(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="embed", input=["a cat", "a cat", "the stock market"])
    one, same, other = (item.embedding for item in answer.data)
    assert one == same != other
    assert math.isclose(math.hypot(*one), 1, rel_tol=1e-3)


@pytest.mark.slow
def test_an_alias_embeds_by_the_name_that_the_server_knows(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="org/embed:small", input="a cat")
    assert answer.model == "embed"
    assert client.models.retrieve("org/embed:small").id == "org/embed:small"
    with pytest.raises(openai.NotFoundError, match="POST /v1/embeddings"):
        client.chat.completions.create(model="org/embed:small", messages=[])


@pytest.mark.slow
def test_an_unknown_model_is_its_not_found_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as failed:
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    assert failed.value.code == "model_not_found"
    assert "open-llama" in failed.value.message
    with pytest.raises(openai.NotFoundError, match="open-llama, embed"):
        client.models.retrieve("gpt-4o")
    with pytest.raises(openai.NotFoundError, match="Available: embed"):
        client.embeddings.create(model="open-llama", input="it chats")


@pytest.mark.slow
def test_what_the_model_refuses_is_its_bad_request_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.chat.completions.create(model="open-llama", messages="no list")  # type: ignore[arg-type]
    with pytest.raises(openai.BadRequestError) as failed:
        client.chat.completions.create(model=3, messages=[])  # type: ignore[call-overload]
    assert failed.value.code == "model_missing"


@pytest.mark.slow
def test_the_access_log_has_the_entrys_name(api: LocalApi, client: openai.OpenAI) -> None:
    answer = client.embeddings.with_raw_response.create(model="embed", input="a cat")
    line = logged(api, answer.headers["x-request-id"])
    assert (line["model"], line["status"]) == ("embed", 200)


def logged(api: LocalApi, request_id: str) -> dict[str, Any]:
    """The line of the access log, once the call is over."""
    log = api.folder / ".mlapi/logs/access.log"
    wait_until(lambda: request_id in log.read_text(), "the call is in the access log")
    (line,) = [json.loads(line) for line in log.read_text().splitlines() if request_id in line]
    return dict(line)
