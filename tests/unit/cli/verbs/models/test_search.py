"""`mlapi models` lists the models that match; what is unknown does not pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support import verbs
from support.verbs import SHIPPED, TINY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]
    Listed = Callable[..., dict[str, dict[str, Any]]]


def test_models_lists_those_that_hold_every_word(mlapi: Mlapi) -> None:
    found = mlapi("models", "ACME", "text")
    assert found.status == 0
    assert found.out.splitlines()[1:] == [
        f"{TINY}  textgeneration  ?     ?         ?      ?        ?          1.2.0"
    ]
    assert found.talk.splitlines() == [
        "1 model",
        f"Next: mlapi models show {TINY}",
    ]


def test_models_without_words_lists_all_of_every_source(mlapi: Mlapi) -> None:
    ids = [model["model_id"] for model in json.loads(mlapi("models", "--json").out)]
    assert {TINY, SHIPPED} < set(ids)
    assert ids == sorted(ids)


def test_models_of_nothing_is_an_empty_list_and_no_failure(mlapi: Mlapi) -> None:
    nothing = mlapi("models", "nothing-like-it", "--json")
    assert (nothing.status, json.loads(nothing.out)) == (0, [])


def test_a_catalogue_that_cannot_be_read_is_said_unless_nobody_wants_the_network(tmp_path: Path) -> None:
    said = verbs.mlapi("models", "whisper-tiny", cwd=tmp_path)
    assert said.talk.startswith("Note: JumpStart's list of models could not be read: the connection to")
    unsaid = verbs.mlapi("models", "whisper-tiny", "--offline", cwd=tmp_path)
    assert "Note:" not in unsaid.talk
    assert (said.status, said.out) == (unsaid.status, unsaid.out)


WHISPER = "huggingface-asr-whisper-tiny"
GATED = "acme-vlm-gated"
HEAD = ["MODEL", "TASK", "SIZE", "INSTANCE", "USD/H", "LICENCE"]


@pytest.fixture
def listed(mlapi: Mlapi) -> Listed:
    """Runs `mlapi models` and returns the rows by id."""

    def run(*arguments: str) -> dict[str, dict[str, Any]]:
        ran = mlapi("models", *arguments, "--json")
        assert ran.status == 0, ran.talk
        return {model["model_id"]: model for model in json.loads(ran.out)}

    return run


def test_a_search_finds_tasks_by_what_they_are(listed: Listed) -> None:
    found = listed("speech", "text", "whisper")
    assert WHISPER in found
    assert {model["task"] for model in found.values()} == {"asr"}
    assert found[WHISPER]["instance"] == "ml.g5.2xlarge"
    assert 1 < found[WHISPER]["usd_per_hour"] < 2
    assert found[WHISPER]["accept_eula"] is False


def test_a_price_and_no_licence_leave_out_what_is_not_known(listed: Listed, mlapi: Mlapi) -> None:
    everything = listed()
    cheap = listed("--max-price", "1.6", "--no-eula")
    assert 0 < len(cheap) < len(everything)
    assert all(model["usd_per_hour"] <= 1.6 and model["accept_eula"] is False for model in cheap.values())
    assert everything[GATED] == {
        "model_id": GATED,
        "task": "vlm",
        "version": "1.2.0",
        "proprietary": False,
        "parameters_billions": None,
        "instance": None,
        "usd_per_hour": None,
        "licence": None,
        "licence_source": None,
        "accept_eula": None,
    }
    said = mlapi("models", GATED, "--max-price", "1.6").talk
    assert "Left out, because too little is known: 1 model" in said


def test_a_size_and_a_licence_narrow_the_list(listed: Listed) -> None:
    found = listed("--min-size", "1", "--max-size", "8", "--licence", "Apache")
    sizes = [model["parameters_billions"] for model in found.values()]
    assert sizes
    assert all(1 <= size <= 8 for size in sizes)
    assert {model["licence"] for model in found.values()} == {"Apache-2.0"}
    assert all(model["licence_source"].startswith("https://") for model in found.values())
    assert GATED not in found


def test_the_bounds_of_a_size_are_within_it(listed: Listed) -> None:
    (size,) = {listed(WHISPER)[WHISPER]["parameters_billions"]}
    assert WHISPER in listed(WHISPER, "--min-size", str(size), "--max-size", str(size))


def test_of_what_is_left_out_only_what_might_have_fitted_is_counted_as_unknown(mlapi: Mlapi) -> None:
    cheap_and_unknown = mlapi("models", "gated", "--max-size", "8").talk
    assert "Left out, because too little is known: 1 model" in cheap_and_unknown
    too_large = mlapi("models", "falcon-180b-chat", "--max-size", "8", "--licence", "apache").talk
    assert "Left out" not in too_large


def test_a_list_shows_prices_with_their_region_and_what_is_unknown(mlapi: Mlapi) -> None:
    ran = mlapi("models", "--task", "asr")
    head, *rows = ran.out.splitlines()
    assert head.replace("TO ACCEPT", "EULA").split() == [*HEAD, "EULA", "NEWEST"]
    whisper = [WHISPER, "asr", "39M", "ml.g5.2xlarge", "1.52", "MIT", "-"]
    assert any(row.split()[:7] == whisper for row in rows)
    assert "Prices are for the default instance in us-east-1; ? is unknown." in ran.talk


def test_an_unknown_task_names_those_that_exist(mlapi: Mlapi) -> None:
    ran = mlapi("models", "--task", "talking")
    assert (ran.status, ran.out) == (2, "")
    assert "asr (speech to text)" in ran.talk


@pytest.mark.parametrize(
    ("search", "meant"),
    [(["textgenration"], "textgeneration"), (["shwo", TINY], f"show {TINY}"), (["zzzz"], "")],
)
def test_words_that_find_nothing_get_those_that_were_meant(
    search: list[str], meant: str, mlapi: Mlapi
) -> None:
    assert mlapi("models", *search).talk.splitlines()[-1] == f"Next: mlapi models {meant}".rstrip()
