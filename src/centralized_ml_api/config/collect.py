"""Problems as they are found -> those that are kept: without duplicates, limited, in file order. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.errors import Problem

MOST_PROBLEMS = 1000
"""How many errors, and how many warnings, are kept of one config: a garbage file has one per byte."""


def collect_problems(found: Iterable[Problem]) -> tuple[Problem, ...]:
    """Returns the first `MOST_PROBLEMS` errors and as many warnings, in file order.

    Stops reading `found` after the last error that is kept; warnings never displace an error.
    """
    kept: dict[str, dict[Problem, None]] = {"error": {}, "warning": {}}
    for problem in found:
        alike = kept[problem.severity]
        if len(alike) < MOST_PROBLEMS:
            alike.setdefault(problem)
        if len(kept["error"]) == MOST_PROBLEMS:
            break
    return tuple(sorted([*kept["error"], *kept["warning"]], key=_in_file_order))


def _in_file_order(problem: Problem) -> tuple[int, int, str, str]:
    return (problem.location.line, problem.location.column, problem.id, problem.location.path)
