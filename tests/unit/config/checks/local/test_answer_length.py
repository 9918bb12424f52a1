"""Whether the longest answer fits into the context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("limit", "local", "ids"),
    [
        (2048, {}, []),
        (2049, {}, ["C309"]),
        (2049, {"context": 4096}, []),
        (1025, {"context": 1024}, ["C309"]),
        (2049, {"contxt": 4096}, ["C010"]),
        (0, {}, ["C014"]),
    ],
)
def test_an_answer_fits_into_the_context(
    limit: int, local: dict[str, Any], ids: list[str], good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    del good["models"][0]["local"]["context"]
    good["models"][0]["max_output_tokens"] = limit
    good["models"][0]["local"].update(local)
    assert [problem.id for problem in problems_of(good)] == ids


def test_only_llama_cpp_has_a_context_here(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    for entry in (*good["models"][1:], *good["endpoints"]):
        entry["max_output_tokens"] = 100_000
    assert problems_of(good) == ()
