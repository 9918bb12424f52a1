"""What both readers share: what they note on the way, and how they end where nothing more can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from centralized_ml_api.config.checks.document import duplicate_key, too_large
from centralized_ml_api.config.collect import MOST_PROBLEMS
from centralized_ml_api.config.document.document import json_path
from centralized_ml_api.config.wording import quoted
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from centralized_ml_api.config.document.document import Extent, NodePath
    from centralized_ml_api.config.document.source import SourceText
    from centralized_ml_api.config.rule import Rule
    from centralized_ml_api.errors import Problem


class Refusing:
    """A reader of `source`."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.values: dict[NodePath, Extent] = {}
        self.keys: dict[NodePath, Extent] = {}
        self.problems: list[Problem] = []

    def note_value(self, path: NodePath, extent: Extent) -> None:
        """Notes where a value stands; refuses to go on after more values than memory should be spent on."""
        if len(self.values) >= too_large.MOST_VALUES:
            expected = f"at most {too_large.MOST_VALUES:,} values"
            self.refuse(too_large.RULE, *extent, found="one value more", expected=expected)
        self.values[path] = extent

    def note_duplicate(self, path: NodePath, extent: Extent) -> None:
        """Notes a key that its object has already; the first ones are enough."""
        if len(self.problems) == MOST_PROBLEMS:
            return
        first = self.source.line_of(self.keys[path][0])
        self.problems.append(
            duplicate_key.RULE.problem(
                self.source.location(*extent, json_path(path)),
                found=f"{quoted(path[-1])}, first on line {first}",
                fix="remove or rename one of the two",
            )
        )

    def refuse(
        self,
        rule: Rule,
        start: int,
        end: int | None = None,
        *,
        found: str = "",
        expected: str = "",
        fix: str = "",
    ) -> NoReturn:
        """Ends the reading.

        Args:
            rule: the rule that is broken.
            start: the offset of what breaks it.
            end: where that ends; one character further by default.
            found: what stands there.
            expected: what should.
            fix: how to mend it.

        Raises:
            ConfigError: always, with this one problem.
        """
        location = self.source.location(start, end if end is not None else start + 1)
        problem = rule.problem(location, found=found, expected=expected, fix=fix)
        raise ConfigError([problem], source=self.source.text)
