"""Each model server gets its own language, and never what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ASKED = {"num_return_sequences": 1, "max_new_tokens": 5}


def parameters_for_tgi(model_servers: ModuleType, **given: Any) -> dict[str, Any]:
    server = model_servers.MODEL_SERVERS["text-generation-inference"]
    [request] = server.build_requests("hi", {**ASKED, **given})
    assert request["inputs"] == "hi"
    parameters: dict[str, Any] = request["parameters"]
    return parameters


def chat(model_servers: ModuleType, **given: Any) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = model_servers.MODEL_SERVERS["openai-chat"].build_requests(
        "hi", {**ASKED, **given}
    )
    return requests


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {}),
        ({"temperature": 0.5, "top_p": 0.9, "top_k": 4}, {"temperature": 0.5, "top_p": 0.9, "top_k": 4}),
        ({"temperature": 0}, {"do_sample": False}),
        ({"top_p": 1}, {}),
        ({"stop": ["!"], "seed": 3}, {"stop": ["!"], "seed": 3}),
        ({"return_full_text": True}, {"return_full_text": True}),
    ],
)
def test_tgi_gets_what_it_takes(
    model_servers: ModuleType, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert parameters_for_tgi(model_servers, **given) == {"max_new_tokens": 5, **sent}


def test_tgi_is_asked_once_for_each_text_with_seeds_that_differ(model_servers: ModuleType) -> None:
    server = model_servers.MODEL_SERVERS["text-generation-inference"]
    requests = server.build_requests("hi", {**ASKED, "num_return_sequences": 2, "seed": 7})
    assert [request["parameters"]["seed"] for request in requests] == [7, 8]
    assert all(request["parameters"]["do_sample"] for request in requests)


@pytest.mark.parametrize("answer", [[{"generated_text": "ho"}], {"generated_text": "ho"}])
def test_tgi_answers_in_two_forms(model_servers: ModuleType, answer: Any) -> None:
    server = model_servers.MODEL_SERVERS["text-generation-inference"]
    assert server.read_texts("hi", ASKED, answer) == ["ho"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {}),
        ({"temperature": 0.5, "repetition_penalty": 1.1}, {"temperature": 0.5, "repeat_penalty": 1.1}),
        ({"do_sample": False, "temperature": 0.5}, {"temperature": 0}),
        ({"do_sample": True}, {}),
        ({"seed": 3}, {"seed": 3}),
    ],
)
def test_chat_gets_what_it_takes(
    model_servers: ModuleType, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    [request] = chat(model_servers, **given)
    assert request == {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, **sent}


def test_chat_is_asked_once_for_each_text(model_servers: ModuleType) -> None:
    assert [request["seed"] for request in chat(model_servers, num_return_sequences=3, seed=1)] == [1, 2, 3]


def test_chat_texts_are_in_the_order_of_their_index(model_servers: ModuleType) -> None:
    choices = [{"index": 1, "message": {"content": "b"}}, {"index": 0, "message": {"content": "a"}}]
    server = model_servers.MODEL_SERVERS["openai-chat"]
    assert server.read_texts("hi", ASKED, {"choices": choices}) == ["a", "b"]
    assert server.read_texts("hi", {"return_full_text": True}, {"choices": choices}) == ["hia", "hib"]


NOT_CHAT: list[Any] = [None, [], {}, "x", {"choices": 1}, {"choices": [1]}, {"choices": [{}]}]
NOT_TGI: list[Any] = [None, {}, "x", [1], [{"generated_text": 1}]]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        *[("openai-chat", one) for one in NOT_CHAT],
        *[("text-generation-inference", one) for one in NOT_TGI],
    ],
)
def test_another_answer_is_said_to_be_unexpected(
    model_servers: ModuleType, text_generation: ModuleType, name: str, answer: Any
) -> None:
    with pytest.raises(text_generation.UnexpectedAnswerError):
        model_servers.MODEL_SERVERS[name].read_texts("hi", ASKED, answer)
