"""Which problems are kept of very many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.collect import MOST_PROBLEMS, collect_problems
from centralized_ml_api.errors import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


def problem(line: int, **other: str) -> Problem:
    return Problem("C102", "a title", Location("f.json", line, 1, "$.a"), **other)  # type: ignore[arg-type]


def test_warnings_never_crowd_out_an_error() -> None:
    warnings = [problem(line, severity="warning") for line in range(1, 3 * MOST_PROBLEMS)]
    kept = collect_problems([*warnings, problem(9999)])
    assert len(kept) == MOST_PROBLEMS + 1
    assert kept[-1].severity == "error"


def test_looking_ends_with_the_last_error_that_is_kept() -> None:
    def endless() -> Iterator[Problem]:
        line = 0
        while True:
            line += 1
            yield problem(line)

    assert len(collect_problems(endless())) == MOST_PROBLEMS
