"""What both readers share: what they note on the way, and how they stop when nothing more can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from centralized_ml_api.config.collect import MOST_PROBLEMS
from centralized_ml_api.config.document import rules
from centralized_ml_api.config.document.document import Document, json_path
from centralized_ml_api.config.wording import quoted
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from typing import Any

    from centralized_ml_api.config.document.document import Extent, NodePath, SourceText
    from centralized_ml_api.config.rule import Rule
    from centralized_ml_api.errors import Problem


class Reader:
    """One pass over a text."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.values: dict[NodePath, Extent] = {}
        self.keys: dict[NodePath, Extent] = {}
        self.problems: list[Problem] = []

    def document(self, value: Any) -> Document:
        """Returns what was read, once all of it was."""
        return Document(self.source, value, self.values, self.keys, tuple(self.problems))

    def note_value(self, path: NodePath, extent: Extent) -> None:
        """Notes where a value stands.

        Raises:
            ConfigError: There are more values than memory should be spent on.
        """
        if len(self.values) >= rules.MOST_VALUES:
            expected = f"at most {rules.MOST_VALUES:,} values"
            self.refuse(rules.TOO_LARGE, *extent, found=f"more than {rules.MOST_VALUES:,}", expected=expected)
        self.values[path] = extent

    def note_duplicate(self, path: NodePath, extent: Extent) -> None:
        """Notes a key that its object has already; after `MOST_PROBLEMS` of them it notes no more."""
        if len(self.problems) == MOST_PROBLEMS:
            return
        first = self.source.line_of(self.keys[path][0])
        self.problems.append(
            rules.DUPLICATE_KEY.problem(
                self.source.location(*extent, json_path(path)),
                found=f"{quoted(path[-1])}, first on line {first}",
                fix="remove or rename one of the two",
            )
        )

    def refuse_deeper(self, path: NodePath, at: int) -> None:
        """Refuses an array or object at a path that is already as deep as is allowed.

        Raises:
            ConfigError: It is; the problem stands at the offset `at`.
        """
        if len(path) >= rules.DEEPEST:
            self.refuse(rules.NESTING, at, expected=f"at most {rules.DEEPEST} levels of arrays and objects")

    def refuse_empty(self) -> NoReturn:
        """Ends the reading of a text that contains no value.

        Raises:
            ConfigError: Always.
        """
        self.refuse(
            rules.EMPTY,
            0,
            fix="write a config; `init` writes one to start from, to a file that does not exist yet",
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
            rule: The rule that is broken.
            start: The offset of what breaks it.
            end: The offset behind that; one character further by default.
            found: What the text says.
            expected: What it should say.
            fix: What to do about it.

        Raises:
            ConfigError: Always, with this one problem.
        """
        location = self.source.location(start, end if end is not None else start + 1)
        problem = rule.problem(location, found=found, expected=expected, fix=fix)
        raise ConfigError([problem], source=self.source.text)
