"""The types of every measurement: what it gets, what it returns, and its goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
"""A row of a table: values by column heading."""


class WrongOptionError(ValueError):
    """An `--option` that the scenario does not accept; the message lists those that it does."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A measured `value` and its `goal`: the most that it may be or, with `at_least`, the least."""

    name: str
    value: float
    goal: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the value meets the goal."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass(frozen=True, slots=True)
class Run:
    """What a measurement gets: how many rounds, where it may write, and the values of `--option`."""

    rounds: int
    folder: Path
    """Empty at the start, and removed at the end."""
    options: Mapping[str, str]
    say: Callable[[str], None]
    """Takes a line of progress."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measurement returns.

    `rows` is the page's table; all rows have the same headings. `details` is stored with it as JSON for
    whoever wants to know more.
    """

    goals: Sequence[Goal]
    rows: Sequence[Row]
    versions: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing of the table: a bar per row. `value` and `label` name the columns for length and text."""

    title: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing to measure.

    If `measure` raises an exception, nothing is stored. `about` is the page's text above the table.
    """

    title: str
    about: str
    rounds: int
    measure: Callable[[Run], Measured]
    plot: Plot | None = None
    notes: str = ""
    """Markdown below the table: why a goal is missed, what would change that, what a row leaves out."""
    fewest_rounds: int = 3
    quoted: Mapping[str, str] = field(default_factory=dict)
    """The goals that the README quotes, each with its text there."""
