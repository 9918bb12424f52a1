"""What a problem of the shape advises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path


@pytest.mark.parametrize(
    ("key", "value", "fix"),
    [
        ("instance", 3, 'write a string such as "ml.g5.2xlarge"'),
        ("image", 3, 'write "3"'),
        ("model_data", 3, 'write a string such as "s3://my-bucket/model.tar.gz"'),
        ("instances", [3], 'write a string such as "ml.g5.2xlarge"'),
        ("name", True, 'write "true"'),
        ("description", 1.5, 'write "1.5"'),
        ("name", [], 'write a string such as "open-llama"'),
        ("instances", 3, ""),
        ("accept_eula", 3, ""),
    ],
)
def test_a_value_of_the_wrong_type_is_put_in_quotes_only_where_that_is_right(
    key: str, value: Any, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0][key] = value
    assert [problem.fix for problem in problems_of(good) if problem.id == "C012"] == [fix]


@pytest.mark.parametrize(
    ("key", "value", "fix"),
    [
        ("ends", 2030, 'write a string such as "2030-06-01T18:00:00+02:00"'),
        ("budget", {"usd": 5, "email": 3}, 'write a string such as "you@example.com"'),
    ],
)
def test_a_known_format_gets_an_example(
    key: str, value: Any, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"] = {key: value}
    assert [problem.fix for problem in problems_of(good) if problem.id == "C012"] == [fix]


def test_a_word_in_place_of_an_object_gets_an_example_of_one(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["integration"] = "api"
    assert [(problem.id, problem.fix) for problem in problems_of(good)] == [
        ("C012", 'write an object such as {"type": "api"}')
    ]


@pytest.mark.parametrize(
    ("key", "rule", "fix"),
    [
        ("engin", "C010", 'write "engine"'),
        ("Engine", "C010", 'write "engine"'),
        ("url", "C011", 'add "engine"'),
    ],
)
def test_an_engine_whose_key_is_misspelt_is_told_from_one_that_is_missing(
    key: str, rule: str, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["local"] = {"environment": {}, key: "llama.cpp"}
    found = [(problem.id, problem.fix) for problem in problems_of(good)]
    assert found == [(rule, fix)]


def test_a_server_that_is_no_engine_is_called_by_its_address_or_started_by_a_command(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["local"] = {"engine": "ollama"}
    assert [(problem.id, problem.fix) for problem in problems_of(good)] == [
        (
            "C013",
            'for any other server, write "url" where it runs already, or "command" to have it started',
        )
    ]


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
@pytest.mark.parametrize("document", [[], [{"name": "chat"}], "models", 3, 0.5, True, None])
def test_a_document_that_is_no_object_is_told_what_one_is(
    document: object, suffix: str, tmp_path: Path, now: datetime
) -> None:
    file = tmp_path / f"models{suffix}"
    file.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_config(file, now=now)
    (problem,) = refused.value.problems
    assert problem.id == "C012"
    assert problem.expected == "an object"
    assert problem.fix == 'write an object such as {"endpoints": []}, and list what you serve in it'


def test_a_key_of_an_object_within_is_moved_there_rather_than_made_a_similar_one(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"] = {"requests_per_day": 5}
    assert [(problem.id, problem.fix) for problem in problems_of(good)] == [("C010", 'move it into "teams"')]
