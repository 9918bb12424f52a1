"""What a rule is: an id, a title, an explanation and an example. Pure data, without the check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.errors import Problem

if TYPE_CHECKING:
    from centralized_ml_api.errors import Location

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Example:
    """A text that breaks a rule, and the corrected one.

    With `at`, a JSONPath into the config of the tests, both texts are members of the object there. Without
    it they are whole files of the kind that `suffix` names; without a suffix they are not run.
    """

    wrong: str
    right: str
    at: str = ""
    suffix: str = ".json"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong with a config.

    `id` never changes and is never given to another rule. `meaning` is Markdown, wrapped by hand.
    """

    id: str
    title: str
    meaning: str
    example: Example
    severity: Severity = "error"

    def problem(
        self,
        location: Location,
        *,
        found: str = "",
        expected: str = "",
        fix: str = "",
        severity: Severity | None = None,
        hides_value: bool = False,
    ) -> Problem:
        """Returns the problem that this rule is broken at a location.

        Args:
            location: Where it is broken.
            found: What the file says.
            expected: What it should say.
            fix: What to do about it.
            severity: Where it differs from the rule's own.
            hides_value: Whether the value may be a key, which nothing must show.
        """
        severity = severity or self.severity
        return Problem(self.id, self.title, location, found, expected, fix, severity, hides_value)
