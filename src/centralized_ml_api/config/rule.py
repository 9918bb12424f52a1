"""A rule: an id, a title, a page that explains it, and mostly a function that finds where it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.errors import Problem

if TYPE_CHECKING:
    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Location

Check = Callable[["Context"], Iterable[Problem]]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Example:
    """What breaks a rule, and the same put right.

    With `at`, a JSONPath into the config that the tests use, the texts are members of the object there;
    without it they are a whole file, of the kind that `suffix` says.
    """

    wrong: str
    right: str
    at: str = ""
    suffix: str = ".json"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong; `id` never changes and is never used again for anything else.

    Rules without `check` are found while the file is read or its shape is compared with the model, or, those
    of JumpStart's catalogue, when a model is looked up.
    """

    id: str
    title: str
    meaning: str
    example: Example
    check: Check | None = None
    severity: Severity = "error"

    def problem(
        self,
        location: Location,
        *,
        found: str = "",
        expected: str = "",
        fix: str = "",
        severity: Severity | None = None,
    ) -> Problem:
        """This rule, broken at that location."""
        return Problem(self.id, self.title, location, found, expected, fix, severity or self.severity)
