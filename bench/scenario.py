"""The words of every measurement: what it is given, what it gives back, and what was promised of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
"""A line of a table: values by the heading of their column."""


class WrongOptionError(ValueError):
    """An `--option` that the scenario does not take; says which it does."""


@dataclass(frozen=True, slots=True)
class Goal:
    """`value` is what was measured; `goal` the most that it may be or, with `at_least`, the least."""

    name: str
    value: float
    goal: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it holds."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass(frozen=True, slots=True)
class Run:
    """What a measurement is given: how often, where it may write, and what `--option` said."""

    rounds: int
    folder: Path
    """Empty at the start, and removed at the end."""
    options: Mapping[str, str]
    say: Callable[[str], None]
    """Takes a line of progress."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measurement gives.

    `rows` is the table of the page, every row with the same headings; `details` is kept beside it for whoever
    wants to know more, as JSON.
    """

    goals: Sequence[Goal]
    rows: Sequence[Row]
    versions: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing of the table: a bar for each row, as long as `value` says, named by what is in `label`."""

    title: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that is measured.

    `measure` raises whatever stops it; nothing is kept then. `about` is the page's text above the table.
    """

    title: str
    about: str
    rounds: int
    measure: Callable[[Run], Measured]
    plot: Plot | None = None
    notes: str = ""
    """Markdown below the table: why a goal is missed and what would change it, what a row leaves out."""
    fewest_rounds: int = 3
    quoted: Mapping[str, str] = field(default_factory=dict)
    """The goals that the README quotes, and in which words."""
