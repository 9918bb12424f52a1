"""Which other names entries may have, and which entries have paths on which a name is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "alias",
    ["g", "gpt-4o-mini", "meta-llama/Llama-3.1-8B", "llama3.1:8b", "@cf/meta/x", "opus[1m]", "x" * 128],
)
def test_a_name_that_programs_send_is_fine(
    alias: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"]["aliases"] = {alias: "open-llama"}
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    "alias", ["", "x" * 129, "a b", "a\n", 'a"', "a'", "$a", "a#", "a%2F", "a|b", "a?b", "é"]
)
def test_any_other_name_is_refused(alias: str, good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["event"]["aliases"] = {alias: "open-llama"}
    (problem,) = problems_of(good)
    assert problem.id == "C410"


def test_an_alias_leads_to_an_entry_and_is_none(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"]["aliases"] = {"a": "open-lama", "open-llama": "open-llama", "b": "a"}
    found = [(problem.id, problem.location.path, problem.fix) for problem in problems_of(good)]
    assert found == [
        ("C411", "$.event.aliases.a", 'write "open-llama"'),
        ("C412", '$.event.aliases["open-llama"]', "remove the alias, or rename the entry"),
        ("C411", "$.event.aliases.b", ""),
    ]


@pytest.mark.parametrize(
    ("more", "is_fine"),
    [
        ({}, False),
        ({"speaks": "openai-chat"}, True),
        ({"local": {"engine": "url", "url": "http://127.0.0.1:1/answer"}}, False),
        ({"local": {"engine": "url", "url": "http://127.0.0.1:1/answer", "speaks": "openai-chat"}}, True),
        ({"local": {"engine": "url", "url": "http://127.0.0.1:1/v1/embeddings"}}, True),
        ({"local": {"engine": "llama.cpp", "weights": "https://example.com/a.gguf"}}, True),
        ({"provider": {"name": "openai", "model": "gpt-5", "key": {"env": "KEY"}}}, True),
        ({"local": {"engine": "provider", "name": "openai", "model": "m", "key": {"env": "KEY"}}}, True),
        ({"local": {"engine": "sagemaker", "region": "eu-west-1"}}, False),
    ],
)
def test_the_entry_is_called_under_v1_on_some_target(
    more: dict[str, Any], *, is_fine: bool, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["endpoints"].append({"name": "plain", "integration": {"type": "api"}, **more})
    good["event"]["aliases"] = {"gpt-4o": "plain"}
    assert [problem.id for problem in problems_of(good)] == ([] if is_fine else ["C413"])
